# SPDX-License-Identifier: Apache-2.0
# Serves a model, posts one request per line of a file ("TARGET BODY", or "TARGET" to get it) and
# prints the answers' bodies, a line each: serve_requests.bash REQUESTS RUN [key=value ...]
requests=$1
shift
: >notes  # what an earlier server said is not this one's
ingot serve "$@" serve.port=0 2>notes & pid=$!
tries=0
until grep -q 'http://127.0.0.1:[0-9]*/' notes; do
  tries=$((tries + 1))
  [ $tries -lt 3000 ] || exit 9
  kill -0 $pid 2>/dev/null || { cat notes >&2; exit 8; }
  sleep 0.01
done
port=$(sed -n 's|.*http://127.0.0.1:\([0-9]*\)/.*|\1|p' notes)
while read -r target body; do
  method=POST
  [ -n "$body" ] || method=GET
  exec 3<>/dev/tcp/127.0.0.1/$port
  LC_ALL=C printf '%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' \
    $method "$target" ${#body} "$body" >&3
  tr -d '\r' <&3 | sed '1,/^$/d'
  echo
  exec 3>&-
done <"$requests"
kill -TERM $pid
wait $pid
