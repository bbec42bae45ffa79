// SPDX-License-Identifier: Apache-2.0
// The scanner: every '@' splits the text into a left and a right neighbourhood that contain no
// other '@', so the walks of one '@' touch bytes that only its neighbours touch: at most two visits
// per byte.
#include "data/mask.h"

#include <algorithm>

namespace ingot::data {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_local(char c) {
  return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-';
}
bool is_domain(char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-'; }

/// First byte of the local part that ends at `at`, not before `floor`; `at` when there is none.
/// A dot-atom neither starts nor ends with a dot and has no two in a row.
size_t local_begin(std::string_view text, size_t floor, size_t at) {
  constexpr size_t kMaxLocal = 64;  // RFC 5321, 4.5.3.1.1
  if (at == floor || text[at - 1] == '.') return at;
  size_t begin = at;
  while (begin > floor && is_local(text[begin - 1]) && at - begin < kMaxLocal) {
    if (text[begin - 1] == '.' && text[begin] == '.') break;
    --begin;
  }
  while (begin < at && (text[begin] == '.' || text[begin] == '-')) ++begin;
  return begin;
}

/// Labels may end an address when they look like a top-level domain: letters, or punycode.
bool is_top_level(std::string_view label) {
  if (label.size() > 4 && label.substr(0, 4) == "xn--") return true;
  return label.size() >= 2 && std::all_of(label.begin(), label.end(), is_letter);
}

/// End of the domain that starts at `begin`; `begin` when there is none. Remembers the last label
/// border at which the domain could end, so one walk to the right suffices.
size_t domain_end(std::string_view text, size_t begin) {
  constexpr size_t kMaxDomain = 255;
  size_t good = begin;
  size_t label = begin;
  size_t labels = 0;
  for (size_t i = begin; i <= text.size() && i - begin <= kMaxDomain; ++i) {
    const bool inside = i < text.size() && is_domain(text[i]);
    if (inside && text[i] != '.') continue;
    size_t stop = i;
    while (!inside && stop > label && text[stop - 1] == '-') --stop;  // "a@b.org--" ends at org
    if (stop == label || text[label] == '-' || text[stop - 1] == '-') break;
    ++labels;
    if (labels >= 2 && is_top_level(text.substr(label, stop - label))) good = stop;
    if (!inside) break;
    label = i + 1;
  }
  return good;
}

}  // namespace

MaskedText mask_emails(std::string_view text) {
  MaskedText result;
  size_t copied = 0;
  size_t floor = 0;  // the local part may not reach before the previous '@' or address
  for (size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    const size_t begin = local_begin(text, floor, at);
    floor = at + 1;
    if (begin == at) continue;
    const size_t end = domain_end(text, at + 1);
    if (end == at + 1) continue;
    result.text.append(text, copied, begin - copied).append(kEmailPlaceholder);
    result.addresses += 1;
    copied = floor = end;
  }
  result.text.append(text, copied, text.size() - copied);
  return result;
}

}  // namespace ingot::data
