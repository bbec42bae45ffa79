// SPDX-License-Identifier: Apache-2.0
// Escaping, tables and number formats. Every function returns finished text.
#include "report/html.h"

#include <cmath>

#include <fmt/format.h>

#include "base/text.h"

namespace ingot::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kDash = "\xE2\x80\x93";         // en dash
constexpr std::string_view kMinus = "\xE2\x88\x92";        // U+2212

bool forbidden(unsigned char c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (const char c : replace_invalid_utf8(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if (forbidden(static_cast<unsigned char>(c)))
          out += kReplacement;
        else
          out += c;
    }
  }
  return out;
}

Table& Table::row(std::vector<std::string> cells, bool strong) {
  for (std::string& cell : cells) cell = escape(cell);
  return html_row(std::move(cells), strong);
}

Table& Table::html_row(std::vector<std::string> cells, bool strong) {
  cells.resize(columns_.size());
  body_ += strong ? "<tr class=\"strong\">" : "<tr>";
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string_view tag = i == 0 ? "th" : "td";
    body_ += fmt::format("<{}{}{}>{}</{}>", tag, i == 0 ? " scope=\"row\"" : "",
                         columns_[i].number ? " class=\"n\"" : "", cells[i], tag);
  }
  body_ += "</tr>\n";
  ++rows_;
  return *this;
}

std::string Table::html(std::string_view caption) const {
  std::string out = "<div class=\"scroll\"><table>\n";
  if (!caption.empty()) out += fmt::format("<caption>{}</caption>\n", escape(caption));
  out += "<thead><tr>";
  for (const Column& column : columns_) {
    out += fmt::format("<th scope=\"col\"{}>{}</th>", column.number ? " class=\"n\"" : "",
                       escape(column.title));
  }
  return out + "</tr></thead>\n<tbody>\n" + body_ + "</tbody>\n</table></div>\n";
}

std::string figure(std::string_view caption, const std::string& svg, std::string_view note) {
  if (svg.empty()) return {};
  return fmt::format("<figure><figcaption>{}</figcaption>\n{}{}</figure>\n", escape(caption), svg,
                     note.empty() ? "" : fmt::format("<p class=\"note\">{}</p>", escape(note)));
}

std::string fixed(double value, int decimals) {
  if (!std::isfinite(value)) return std::string(kDash);
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.find_first_not_of("-0.") == std::string::npos && text.front() == '-') text.erase(0, 1);
  if (text.front() == '-') text.replace(0, 1, kMinus);
  return text;
}

std::string significant(double value, int digits) {
  if (!std::isfinite(value)) return std::string(kDash);
  std::string text = fmt::format("{:.{}g}", value, digits);
  if (text.front() == '-') text.replace(0, 1, kMinus);
  return text;
}

std::string percent_change(double ratio) {
  if (!std::isfinite(ratio)) return std::string(kDash);
  const double percent = (ratio - 1) * 100;
  const std::string text = fixed(percent, std::abs(percent) < 9.995 ? 2 : 0) + " %";
  return percent > 0 && text.find_first_of("123456789") != std::string::npos ? "+" + text : text;
}

}  // namespace ingot::report
