// SPDX-License-Identifier: Apache-2.0
#include "cli/data_get.h"

#include <cstdlib>
#include <memory>
#include <span>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/config.h"
#include "base/text.h"
#include "cli/recipe.h"
#include "data/public_data.h"
#include "io/byte_source.h"
#include "io/download.h"
#include "io/proxy.h"

namespace ingot::cli {
namespace {

constexpr int64_t kStep = 1024;  // bytes per step of the progress line

struct GetConfig {
  struct Folder {
    std::string dir;
    void visit(auto& field) {
      field("dir", dir,
            "folder that holds the files already, or a folder of this name with them: taken from "
            "there, no network");
    }
  };
  bool accept = false;
  std::string out;
  Folder data;
  std::string mirror;
  std::string sha256;

  void visit(auto& field) {
    field("accept", accept, "the licence is read and accepted (--yes)");
    field("out", out, "folder to fill; empty: the name of the data set");
    field("data", data, "");
    field("mirror", mirror, "address of a folder with these files, instead of their origin");
    field("sha256", sha256, "digest of the one file whose digest is not known here");
  }
};

/// A file of the set on its way: what is expected of it, and what was found.
struct Wanted {
  data::PublicFile file;
  std::string sha256;  // expected; "": not known
  std::string found;
  int64_t bytes = 0;
};

/// Where a folder holds a file, packed or not; "": nowhere.
std::string held_path(const std::string& folder, std::string_view name) {
  for (const char* packed : {"", ".gz", ".xz"}) {
    std::string path = join_path(folder, std::string(name) + packed);
    if (file_exists(path)) return path;
  }
  return {};
}

/// For a message: "a, b, c".
std::string needed_names(std::span<const data::PublicFile> files) {
  std::vector<std::string> names;
  for (const data::PublicFile& file : files) {
    if (!file.is_optional) names.emplace_back(file.name);
  }
  return join(names, ", ");
}

data::HoldsFile holder(const std::string& folder) {
  return [folder](std::string_view name) { return !held_path(folder, name).empty(); };
}

/// The first file of the set that `folder` lacks; "": none.
std::string_view missing_file(const data::PublicData& set, const std::string& folder) {
  for (const data::PublicFile& file : set.files) {
    if (held_path(folder, file.name).empty()) return file.name;
  }
  return {};
}

/// A whole set of which a file is missing must not pass for a part of it.
void refuse_incomplete(const data::PublicData& form, const data::PublicData& set,
                       const std::string& folder) {
  const std::string_view beside = data::left_out_of(form, set, holder(folder));
  require(
      beside.empty(), Code::kNotFound,
      "data get: {} holds {} but no {} (nor .gz or .xz of it). Put it there, or for \"{}\" take "
      "{} away",
      folder, beside, missing_file(set, folder), form.title, beside);
}

/// The set as `folder` holds it, or the folder of its name inside, which `folder` then is. A whole
/// set in one of them comes before a part in the other.
data::PublicData held_set(const data::PublicData& set, std::string& folder) {
  const std::string inner = join_path(folder, std::string(set.name));
  for (const bool is_whole : {true, false}) {
    for (const std::string& place : {folder, inner}) {
      const auto held = data::held_form(set, holder(place));
      if (!held || (held->files.data() == set.files.data()) != is_whole) continue;
      refuse_incomplete(*held, set, place);
      folder = place;
      return *held;
    }
  }
  std::string text =
      fmt::format("data get: {} holds no {} (nor .gz or .xz of it), {} no {}", folder,
                  missing_file(set, folder), inner, missing_file(set, inner));
  for (const data::PublicCopy& copy : set.copies) {
    text += fmt::format("; {} would do", needed_names(copy.files));
  }
  fail(Code::kNotFound, "{}", text);
}

std::vector<Wanted> wanted_of(const data::PublicData& set, const GetConfig& config) {
  std::vector<Wanted> wanted;
  int64_t unknown = 0;
  for (const data::PublicFile& file : set.files) {
    if (file.is_optional && held_path(config.data.dir, file.name).empty()) continue;
    wanted.push_back({file, std::string(file.sha256), "", 0});
    if (!file.sha256.empty()) continue;
    ++unknown;
    wanted.back().sha256 = lower_ascii(config.sha256);
  }
  require(config.sha256.empty() || unknown == 1, Code::kInvalidArgument,
          "data get: sha256= is for the one file whose digest is not known; of {} it is {} files",
          set.name, unknown);
  require(config.sha256.empty() ||
              (config.sha256.size() == 64 &&
               config.sha256.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos),
          Code::kInvalidArgument, "data get: sha256 \"{}\" is not 64 hexadecimal digits",
          config.sha256);
  return wanted;
}

std::string size_text(int64_t bytes) { return bytes < 0 ? "size not known" : human_bytes(bytes); }

std::string describe(const data::PublicData& set, const std::vector<Wanted>& wanted,
                     const std::string& out) {
  std::string text =
      fmt::format("{}: {}\nlicence: {}\nfiles, into {}/:\n", set.name, set.title, set.licence, out);
  for (const Wanted& w : wanted) {
    text += fmt::format("  {:<28} {:>14}  sha256 {}\n", w.file.name, size_text(w.file.bytes),
                        w.sha256.empty() ? "not known" : w.sha256);
    if (!w.file.url.empty()) text += fmt::format("    {}\n", w.file.url);
  }
  return text;
}

/// The same command, with the yes that was not said.
std::string with_yes(const Invocation& invocation, std::string_view name) {
  std::string command = fmt::format("ingot data get {}", name);
  for (const std::string& text : invocation.overrides) {
    if (!text.starts_with("accept=")) command += " " + text;
  }
  return command + " --yes";
}

/// What the set is; nothing is fetched.
Json show(const Invocation& invocation, const data::PublicData& set,
          const std::vector<Wanted>& wanted, const std::string& folder) {
  const std::string next = with_yes(invocation, set.name);
  invocation.console.line(describe(set, wanted, folder) +
                          "nothing was fetched; when the licence suits you: " + next);
  Json files = Json::array();
  for (const Wanted& w : wanted) {
    Json file = {{"name", std::string(w.file.name)}};
    if (!w.file.url.empty()) file["url"] = std::string(w.file.url);
    if (w.file.bytes >= 0) file["bytes"] = w.file.bytes;
    if (!w.sha256.empty()) file["sha256"] = w.sha256;
    files.push_back(std::move(file));
  }
  return {{"name", std::string(set.name)},
          {"title", std::string(set.title)},
          {"licence", std::string(set.licence)},
          {"folder", folder},
          {"files", files},
          {"fetched", false},
          {"next", next}};
}

/// Copies a file from a folder, where it may also lie packed (it is then unpacked, so that its name
/// is the one that is fetched); verified before it gets its name.
void take(Invocation& invocation, const GetConfig& config, Wanted& wanted,
          const std::string& folder) {
  const std::string name(wanted.file.name);
  const std::string from = held_path(config.data.dir, name);
  const bool is_as_it_comes = base_name(from) == name;
  const bool is_packed = wanted.file.is_packed && is_as_it_comes;
  wanted.found = io::digest_of(from, is_packed);
  require(wanted.sha256.empty() || wanted.found == wanted.sha256, Code::kCorruptFile,
          "data get: {} has the SHA-256 {}{}, expected {}", from, wanted.found,
          is_packed ? "" : " (unpacked)", wanted.sha256);
  const std::string to = join_path(folder, name);
  if (!is_as_it_comes) {
    write_atomically(*invocation.files, to, io::read_all(*io::open_source(from)));
  } else {
    write_atomically(*invocation.files, to, MappedFile(from).bytes());
  }
  wanted.bytes = file_size(to);
}

void fetch(Invocation& invocation, const GetConfig& config, Wanted& wanted,
           const std::string& folder) {
  const std::string name(wanted.file.name);
  const std::string path = join_path(folder, name);
  const bool is_packed = wanted.file.is_packed;
  if (file_exists(path) && !wanted.sha256.empty() &&
      io::digest_of(path, is_packed) == wanted.sha256) {
    wanted.found = wanted.sha256;
    wanted.bytes = file_size(path);
    invocation.console.note(fmt::format("{}: there already", path));
    return;
  }
  const std::string url = config.mirror.empty()
                              ? std::string(wanted.file.url)
                              : config.mirror + (config.mirror.ends_with('/') ? "" : "/") + name;
  io::DownloadOptions options;
  options.http.stop = invocation.stop;
  options.http.proxy = io::proxy_for(url, [](const char* name) { return std::getenv(name); });
  const auto progress = invocation.console.progress(*invocation.clock, name);
  options.progress = [&](int64_t done, int64_t total) {
    ProgressState state;
    state.step = done / kStep;
    state.total = total > 0 ? total / kStep : 0;
    state.note = "KiB";
    progress->update(state);
  };
  const io::DownloadResult got =
      io::download(*invocation.files, {url, path, wanted.sha256, is_packed}, options);
  wanted.found = got.sha256;
  wanted.bytes = got.bytes;
  if (got.resumed > 0) {
    invocation.console.note(fmt::format("{}: continued after {}", path, human_bytes(got.resumed)));
  }
}

void list_sets(const Invocation& invocation) {
  Json names = Json::array();
  for (const data::PublicData& set : data::public_data()) {
    invocation.console.line(fmt::format("  {:<20} {}", set.name, set.title));
    names.push_back(std::string(set.name));
  }
  invocation.console.line("`ingot data get NAME` shows files, licence and digests");
  invocation.console.result({{"sets", names}});
}

GetConfig config_of(const Invocation& invocation) {
  GetConfig config;
  for (const std::string& text : own_overrides(invocation)) apply_override(text, config);
  return config;
}

const data::PublicData& set_of(const std::string& name) {
  if (const data::PublicData* set = data::find_public_data(name)) return *set;
  fail(Code::kNotFound, "data get: no data set \"{}\" is known.{}", name,
       did_you_mean(name, get_names()));
}

Json report(const Invocation& invocation, const data::PublicData& set,
            const std::vector<Wanted>& wanted, const std::string& folder) {
  Json files = Json::array();
  for (const Wanted& w : wanted) {
    invocation.console.line(
        fmt::format("  {:<28} {:>12}  sha256 {} {}", w.file.name, human_bytes(w.bytes), w.found,
                    w.sha256.empty() ? "(not verified: no digest is known)" : "verified"));
    files.push_back({{"name", std::string(w.file.name)},
                     {"bytes", w.bytes},
                     {"sha256", w.found},
                     {"verified", !w.sha256.empty()}});
  }
  const std::string use = data::use_in(set, folder);
  invocation.console.line(
      fmt::format("data: {} is in {}{}", set.name, folder, use.empty() ? "" : "\ntry: " + use));
  return {{"name", std::string(set.name)}, {"folder", folder}, {"files", files}};
}

}  // namespace

std::string_view get_usage() {
  return "       ingot data get      [NAME] [--yes] [out=DIR] [data.dir=FOLDER] [mirror=URL]\n";
}

std::vector<std::string> get_names() {
  std::vector<std::string> names;
  for (const data::PublicData& set : data::public_data()) names.emplace_back(set.name);
  return names;
}

std::vector<std::string> get_keys() {
  std::vector<std::string> names;
  for (const KeyInfo& key : list_keys(GetConfig{})) names.push_back(key.path);
  return names;
}

void get_data(Invocation& invocation) {
  require(!invocation.prints_config, Code::kInvalidArgument,
          "data get: follows no recipe, so there is none to print. Leave --print-config out");
  (void)config_of(invocation);
  require(invocation.words.size() <= 1, Code::kInvalidArgument,
          "data get: one name is taken, \"{}\" is left over",
          invocation.words.size() > 1 ? invocation.words[1] : "");
  if (invocation.words.empty()) return list_sets(invocation);
  invocation.console.result(get_set(invocation, set_of(invocation.words[0])));
}

Json get_set(Invocation& invocation, const data::PublicData& whole) {
  GetConfig config = config_of(invocation);
  const data::PublicData set = config.data.dir.empty() ? whole : held_set(whole, config.data.dir);
  const std::string folder = config.out.empty() ? std::string(set.name) : config.out;
  std::vector<Wanted> wanted = wanted_of(set, config);
  if (!config.accept) return show(invocation, set, wanted, folder);
  invocation.console.note(describe(set, wanted, folder));
  make_directories(*invocation.files, folder);
  for (Wanted& w : wanted) {
    throw_if_stopped(invocation.stop);
    config.data.dir.empty() ? fetch(invocation, config, w, folder)
                            : take(invocation, config, w, folder);
  }
  return report(invocation, set, wanted, folder);
}

}  // namespace ingot::cli
