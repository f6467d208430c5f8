-- Asks with the tokens of a file, one a line, in order and then from the start again; path and header fields are
-- wrk's own arguments.

local requests = {}
local latest = 0

-- Requests are built before the clock starts.
function init(args)
   local head = "GET " .. wrk.path .. " HTTP/1.1\r\n"
   for name, value in pairs(wrk.headers) do
      head = head .. name .. ": " .. value .. "\r\n"
   end
   head = head .. "Authorization: Bearer "
   for token in io.lines(args[1]) do
      requests[#requests + 1] = head .. token .. "\r\n\r\n"
   end
end

function request()
   latest = latest % #requests + 1
   return requests[latest]
end

-- One line, for a program to read; times are in microseconds.
function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '{"requests":%d,"duration":%d,"p50":%d,"p99":%d,"refused":%d,"broken":%d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
      errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
