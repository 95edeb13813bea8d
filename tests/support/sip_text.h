// SPDX-License-Identifier: Apache-2.0
//
// Requests and responses as text, for tests that only care about some of their fields.
#pragma once

#include <string>
#include <string_view>

namespace sluice::test {

struct RequestText {
  std::string method = "INVITE";
  std::string uri = "sip:bob@example.com";
  std::string via = "SIP/2.0/UDP 198.18.0.1:5060;branch=z9hG4bKcaller1";
  std::string from = "<sip:alice@example.com>;tag=alice";
  std::string to = "<sip:bob@example.com>";
  std::string call_id = "call-1";
  int cseq = 1;
  int max_forwards = 70;
  std::string more = {};  // complete lines
  std::string body = {};

  std::string str() const {
    return method + " " + uri + " SIP/2.0\r\nVia: " + via + "\r\n" +
           (max_forwards < 0 ? "" : "Max-Forwards: " + std::to_string(max_forwards) + "\r\n") +
           "From: " + from + "\r\nTo: " + to + "\r\nCall-ID: " + call_id +
           "\r\nCSeq: " + std::to_string(cseq) + " " + method + "\r\n" + more +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
};

// The response that a peer gives to a request as it got it: Via, From, Call-ID, CSeq and
// Record-Route are those of the request.
inline std::string response_to(std::string_view request, int status,
                               std::string_view to_tag = "bob", std::string_view more = {}) {
  std::string out = "SIP/2.0 " + std::to_string(status) + " Whatever\r\n";
  std::size_t at = request.find("\r\n") + 2;
  while (request.substr(at, 2) != "\r\n") {
    const std::size_t end = request.find("\r\n", at);
    const std::string_view line = request.substr(at, end - at);
    for (const std::string_view name : {"Via:", "From:", "Call-ID:", "CSeq:", "Record-Route:"}) {
      if (line.starts_with(name)) out += std::string(line) + "\r\n";
    }
    if (line.starts_with("To:")) {
      out += line;
      if (line.find(";tag=") == std::string_view::npos && status > 100 && !to_tag.empty()) {
        out += ";tag=" + std::string(to_tag);
      }
      out += "\r\n";
    }
    at = end + 2;
  }
  out += more;
  return out + "Content-Length: 0\r\n\r\n";
}

}  // namespace sluice::test
