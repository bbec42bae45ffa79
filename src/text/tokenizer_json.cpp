// SPDX-License-Identifier: Apache-2.0
// Reading goes in three steps: refuse features that would change the ids, number the tokens (ids
// must be 0 .. n-1 for the n tokens listed, so a huge id cannot make anything grow), resolve the
// merges by name. BpeModel::check judges the rest. Writing spells what the PyPI package writes.
#include "text/tokenizer_json.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "text/byte_alphabet.h"

namespace ingot::text {
namespace {

constexpr int kMaxDepth = 16;
constexpr const char* kDefaultEos = "<|endoftext|>";

class Reader {
 public:
  Reader(const Json& root, std::string_view name) : root_(root), name_(name) {}

  BpeModel read() {
    refuse_other_features();
    read_flags();
    read_added();
    read_vocab();
    read_merges();
    return std::move(model_);
  }

 private:
  template <class... Args>
  void check(bool ok, fmt::format_string<Args...> text, Args&&... args) const {
    if (!ok) {
      fail(Code::kCorruptFile, "load tokenizer: {}: {}", name_,
           fmt::format(text, std::forward<Args>(args)...));
    }
  }

  template <class... Args>
  void support(bool ok, fmt::format_string<Args...> text, Args&&... args) const {
    if (!ok) {
      fail(Code::kUnsupported, "load tokenizer: {}: {}", name_,
           fmt::format(text, std::forward<Args>(args)...));
    }
  }

  // The member, or nullptr where it is missing or null.
  static const Json* find(const Json& object, const char* key) {
    const auto at = object.find(key);
    return at == object.end() || at->is_null() ? nullptr : &*at;
  }

  const Json& object(const Json& parent, const char* key, const char* path) const {
    const Json* value = find(parent, key);
    check(value != nullptr && value->is_object(), "{} must be an object", path);
    return *value;
  }

  std::string type_of(const Json& object, const char* path) const {
    const Json* type = find(object, "type");
    check(type != nullptr && type->is_string(), "{}.type must be a string", path);
    return type->get<std::string>();
  }

  bool flag(const Json& object, const char* key, bool fallback, std::string_view path) const {
    const Json* value = find(object, key);
    if (value == nullptr) return fallback;
    check(value->is_boolean(), "{}.{} must be true or false", path, key);
    return value->get<bool>();
  }

  // A byte-level part: null where `optional`, or an object of type ByteLevel.
  void require_byte_level(const char* key, bool optional) const {
    const Json* part = find(root_, key);
    if (part == nullptr && optional) return;
    support(part != nullptr, "{} is null; only ByteLevel is supported", key);
    check(part->is_object(), "{} must be an object or null", key);
    const std::string type = type_of(*part, key);
    support(type == "ByteLevel", "{} \"{}\" is not supported; only ByteLevel is", key,
            excerpt(type));
  }

  void refuse_other_features() const {
    check(root_.is_object(), "must hold a JSON object");
    const Json& model = object(root_, "model", "model");
    if (find(model, "type") != nullptr) {
      const std::string type = type_of(model, "model");
      support(type == "BPE", "model.type \"{}\" is not supported; known: BPE", excerpt(type));
    }
    for (const char* key : {"normalizer", "truncation", "padding"}) {
      support(find(root_, key) == nullptr, "{} is not supported; set it to null", key);
    }
    require_byte_level("pre_tokenizer", false);
    require_byte_level("decoder", false);
    require_byte_level("post_processor", true);
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      const Json* value = find(model, key);
      support(value == nullptr || *value == "", "model.{} is not supported; set it to null", key);
    }
    const Json* dropout = find(model, "dropout");
    support(dropout == nullptr || (dropout->is_number() && dropout->get<double>() == 0.0),
            "model.dropout is not supported; set it to null");
  }

  void read_flags() {
    const Json& pre = object(root_, "pre_tokenizer", "pre_tokenizer");
    model_.add_prefix_space = flag(pre, "add_prefix_space", true, "pre_tokenizer");
    model_.split_words = flag(pre, "use_regex", true, "pre_tokenizer");
    model_.ignore_merges = flag(object(root_, "model", "model"), "ignore_merges", false, "model");
  }

  int64_t id_of(const Json& value, std::string_view path) const {
    check(value.is_number_integer(), "{} must be a whole number", path);
    const bool negative = !value.is_number_unsigned() && value.get<int64_t>() < 0;
    const bool huge = value.is_number_unsigned() && value.get<uint64_t>() > INT32_MAX;
    check(!negative && !huge, "{} is {}, ids are 0 to {}", path, value.dump(), INT32_MAX);
    return value.get<int64_t>();
  }

  void read_added() {
    const Json* list = find(root_, "added_tokens");
    if (list == nullptr) return;
    check(list->is_array(), "added_tokens must be an array");
    for (const Json& item : *list) {
      const std::string path = fmt::format("added_tokens[{}]", model_.added.size());
      check(item.is_object(), "{} must be an object", path);
      const Json* content = find(item, "content");
      check(content != nullptr && content->is_string(), "{}.content must be a string", path);
      const Json* id = find(item, "id");
      check(id != nullptr, "{}.id is missing", path);
      AddedToken token;
      token.id = static_cast<int32_t>(id_of(*id, path + ".id"));
      token.content = content->get<std::string>();
      token.single_word = flag(item, "single_word", false, path);
      token.lstrip = flag(item, "lstrip", false, path);
      token.rstrip = flag(item, "rstrip", false, path);
      token.special = flag(item, "special", false, path);
      token.normalized = flag(item, "normalized", !token.special, path);
      check(!token.content.empty(), "{}.content is empty", path);
      check(added_ids_.emplace(token.content, token.id).second, "{}: \"{}\" is listed twice", path,
            excerpt(token.content));
      if (token.content == kDefaultEos) model_.eos_token = kDefaultEos;
      model_.added.push_back(std::move(token));
    }
  }

  void place(int64_t id, std::string bytes, std::string_view spelled) {
    const auto size = static_cast<int64_t>(model_.tokens.size());
    check(id < size, "\"{}\" has id {}, but there are only {} tokens: the ids have holes",
          excerpt(spelled), id, size);
    const auto index = static_cast<size_t>(id);
    check(!taken_[index], "id {} belongs to two tokens, one is \"{}\"", id, excerpt(spelled));
    taken_[index] = true;
    model_.tokens[index] = std::move(bytes);
  }

  void read_vocab() {
    const Json& vocab = object(object(root_, "model", "model"), "vocab", "model.vocab");
    size_t size = vocab.size();
    std::vector<const AddedToken*> outside;
    std::unordered_set<std::string_view> listed;
    listed.reserve(vocab.size());
    for (const auto& item : vocab.items()) listed.insert(item.key());
    for (const AddedToken& token : model_.added) {
      if (!listed.contains(token.content)) outside.push_back(&token);
    }
    size += outside.size();
    model_.tokens.resize(size);
    taken_.assign(size, false);
    spelled_ids_.reserve(vocab.size());
    for (const auto& item : vocab.items()) read_vocab_entry(item.key(), item.value());
    for (const AddedToken* token : outside) place(token->id, token->content, token->content);
  }

  void read_vocab_entry(const std::string& spelled, const Json& value) {
    check(value.is_number_integer(), "model.vocab[\"{}\"] must be a whole number",
          excerpt(spelled));
    const int64_t id = id_of(value, "an id of model.vocab");
    const auto added = added_ids_.find(spelled);
    std::optional<std::string> bytes = spelled;
    if (added != added_ids_.end()) {
      check(added->second == id, "added token \"{}\" has id {}, in model.vocab {}",
            excerpt(spelled), added->second, id);
    } else {
      bytes = unspell_bytes(spelled);
      check(bytes.has_value() && !bytes->empty(),
            "model.vocab[\"{}\"] is not spelled in the byte-level alphabet", excerpt(spelled));
    }
    place(id, std::move(*bytes), spelled);
    spelled_ids_.emplace(spelled, static_cast<int32_t>(id));
  }

  int32_t merge_part(std::string_view spelled, int64_t rank) const {
    const auto at = spelled_ids_.find(std::string(spelled));
    check(at != spelled_ids_.end(), "model.merges[{}] names \"{}\", which is not in model.vocab",
          rank, excerpt(spelled));
    return at->second;
  }

  void read_merges() {
    const Json* merges = find(object(root_, "model", "model"), "merges");
    check(merges != nullptr && merges->is_array(), "model.merges must be an array");
    model_.merges.reserve(merges->size());
    for (const Json& item : *merges) {
      const auto rank = static_cast<int64_t>(model_.merges.size());
      if (item.is_string()) {
        const auto& text = item.get_ref<const std::string&>();
        const size_t space = text.find(' ');
        check(space != std::string::npos && text.find(' ', space + 1) == std::string::npos,
              "model.merges[{}] is \"{}\", not two tokens with one space between", rank,
              excerpt(text));
        const std::string_view view = text;
        model_.merges.push_back(
            {merge_part(view.substr(0, space), rank), merge_part(view.substr(space + 1), rank)});
        continue;
      }
      check(item.is_array() && item.size() == 2 && item[0].is_string() && item[1].is_string(),
            "model.merges[{}] must be \"a b\" or [\"a\", \"b\"]", rank);
      model_.merges.push_back({merge_part(item[0].get_ref<const std::string&>(), rank),
                               merge_part(item[1].get_ref<const std::string&>(), rank)});
    }
  }

  const Json& root_;
  std::string_view name_;
  BpeModel model_;
  std::vector<bool> taken_;
  std::unordered_map<std::string, int32_t> added_ids_;
  std::unordered_map<std::string, int32_t> spelled_ids_;
};

Json parse_file(std::string_view json, std::string_view name) {
  require(static_cast<int64_t>(json.size()) <= kMaxTokenizerJsonBytes, Code::kCorruptFile,
          "load tokenizer: {} has {} bytes, at most {} are read", name, json.size(),
          kMaxTokenizerJsonBytes);
  const JsonLimits limits = {kMaxTokenizerJsonBytes, kMaxDepth, Code::kCorruptFile};
  return parse_json(json, fmt::format("load tokenizer: {}", name), limits);
}

// Each token as tokenizer.json spells it: added ones as they are, the rest in the alphabet.
std::vector<std::string> spell_tokens(const BpeModel& model) {
  std::vector<std::string> spelled;
  spelled.reserve(model.tokens.size());
  for (const std::string& token : model.tokens) spelled.push_back(spell_bytes(token));
  for (const AddedToken& token : model.added) {
    spelled[static_cast<size_t>(token.id)] = token.content;
  }
  std::unordered_set<std::string_view> seen;
  seen.reserve(spelled.size());
  for (const std::string& token : spelled) {
    require(seen.insert(token).second, Code::kInvalidArgument,
            "save tokenizer: two tokens are spelled \"{}\"; rename the special token",
            excerpt(token));
  }
  return spelled;
}

const char* boolean(bool value) { return value ? "true" : "false"; }

void write_added(const BpeModel& model, std::string& out) {
  std::vector<AddedToken> sorted = model.added;
  std::sort(sorted.begin(), sorted.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  const char* comma = "";
  for (const AddedToken& token : sorted) {
    out += fmt::format(
        "{}\n    {{\"id\": {}, \"content\": {}, \"single_word\": {}, \"lstrip\": {}, "
        "\"rstrip\": {}, \"normalized\": {}, \"special\": {}}}",
        comma, token.id, quote_json(token.content), boolean(token.single_word),
        boolean(token.lstrip), boolean(token.rstrip), boolean(token.normalized),
        boolean(token.special));
    comma = ",";
  }
}

}  // namespace

BpeModel parse_tokenizer(std::string_view json, std::string_view name) {
  const Json root = parse_file(json, name);
  BpeModel model = Reader(root, name).read();
  try {
    model.check();
  } catch (const Error& error) {
    fail(Code::kCorruptFile, "load tokenizer: {}: {}", name, error.what());
  }
  return model;
}

void apply_tokenizer_config(std::string_view json, std::string_view name, BpeModel& model) {
  const Json root = parse_file(json, name);
  require(root.is_object(), Code::kCorruptFile, "load tokenizer: {}: must hold a JSON object",
          name);
  const auto read_role = [&](const char* key, std::string& token) {
    const auto at = root.find(key);
    if (at == root.end()) return;
    token.clear();
    if (at->is_null()) return;
    const bool object = at->is_object() && at->contains("content");
    const Json& value = object ? (*at)["content"] : *at;
    require(value.is_string(), Code::kCorruptFile,
            "load tokenizer: {}: {} must be a string, null or an object with content", name, key);
    token = value.get<std::string>();
    const bool known =
        std::find(model.tokens.begin(), model.tokens.end(), token) != model.tokens.end();
    require(known, Code::kCorruptFile, "load tokenizer: {}: {} \"{}\" is no token", name, key,
            excerpt(token));
  };
  read_role("eos_token", model.eos_token);
  read_role("bos_token", model.bos_token);
  read_role("pad_token", model.pad_token);
}

std::string tokenizer_json(const BpeModel& model) {
  const std::vector<std::string> spelled = spell_tokens(model);
  const auto quoted = [&](int32_t id) { return quote_json(spelled[static_cast<size_t>(id)]); };
  std::string out =
      "{\n  \"version\": \"1.0\",\n  \"truncation\": null,\n  \"padding\": null,\n"
      "  \"added_tokens\": [";
  write_added(model, out);
  out += fmt::format(
      "\n  ],\n  \"normalizer\": null,\n"
      "  \"pre_tokenizer\": {{\"type\": \"ByteLevel\", \"add_prefix_space\": {0}, "
      "\"trim_offsets\": true, \"use_regex\": {1}}},\n"
      "  \"post_processor\": null,\n"
      "  \"decoder\": {{\"type\": \"ByteLevel\", \"add_prefix_space\": {0}, "
      "\"trim_offsets\": true, \"use_regex\": {1}}},\n"
      "  \"model\": {{\n    \"type\": \"BPE\", \"dropout\": null, \"unk_token\": null, "
      "\"continuing_subword_prefix\": null, \"end_of_word_suffix\": null,\n"
      "    \"fuse_unk\": false, \"byte_fallback\": false, \"ignore_merges\": {2},\n"
      "    \"vocab\": {{",
      boolean(model.add_prefix_space), boolean(model.split_words), boolean(model.ignore_merges));
  const auto count = static_cast<int32_t>(spelled.size());
  for (int32_t id = 0; id < count; ++id) {
    out += fmt::format("{}\n      {}: {}", id == 0 ? "" : ",", quoted(id), id);
  }
  out += "\n    },\n    \"merges\": [";
  const char* comma = "";
  for (const MergePair& pair : model.merges) {
    out += fmt::format("{}\n      [{}, {}]", comma, quoted(pair.left), quoted(pair.right));
    comma = ",";
  }
  out += "\n    ]\n  }\n}\n";
  return out;
}

std::string tokenizer_config_json(const BpeModel& model) {
  std::string out = fmt::format(
      "{{\n  \"tokenizer_class\": \"PreTrainedTokenizerFast\",\n  \"add_prefix_space\": {},\n"
      "  \"clean_up_tokenization_spaces\": false",
      boolean(model.add_prefix_space));
  const auto role = [&](const char* key, const std::string& token) {
    out += fmt::format(",\n  \"{}\": {}", key, token.empty() ? "null" : quote_json(token));
  };
  role("eos_token", model.eos_token);
  role("bos_token", model.bos_token);
  role("pad_token", model.pad_token);
  out += "\n}\n";
  return out;
}

}  // namespace ingot::text
