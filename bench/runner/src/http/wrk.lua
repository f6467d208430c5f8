-- Sends requests with the tokens of a file, one a line and perhaps with a DPoP proof behind a space, in order and then from the
-- start again; path and header fields are wrk's own arguments. The second argument is the content of POST requests, or empty for GET. A third one is a pace in
-- requests a second.

local requests = {}
local latest = 0

-- Requests are built before the clock starts.
function init(args)
   local content = args[2]
   if args[3] then
      keep_pace(tonumber(args[3]))
   end
   local head = (content == "" and "GET " or "POST ") .. wrk.path .. " HTTP/1.1\r\n"
   for name, value in pairs(wrk.headers) do
      head = head .. name .. ": " .. value .. "\r\n"
   end
   if content ~= "" then
      head = head .. "Content-Length: " .. #content .. "\r\n"
   end
   for line in io.lines(args[1]) do
      local token, proof = line:match("^(%S+) (%S+)$")
      local credentials = proof and "DPoP " .. token .. "\r\nDPoP: " .. proof or "Bearer " .. line
      requests[#requests + 1] = head .. "Authorization: " .. credentials .. "\r\n\r\n" .. content
   end
end

-- Requests come as from many independent users, who do not wait for each other's answers. All servers get the same
-- intervals, because the random numbers are the same each time.
function keep_pace(per_second)
   local ffi = require("ffi")
   ffi.cdef [[
      typedef struct { long seconds; long nanoseconds; } moment;
      int clock_gettime(int clock, moment *now);
   ]]
   local MONOTONIC = 1
   local moment = ffi.new("moment")
   local function now()
      ffi.C.clock_gettime(MONOTONIC, moment)
      return tonumber(moment.seconds) * 1e3 + tonumber(moment.nanoseconds) / 1e6
   end
   local turn = now()
   -- The delay of the next request in milliseconds; wrk calls this function if it is defined.
   function delay()
      turn = turn - math.log(1 - math.random()) * 1e3 / per_second
      return math.max(0, turn - now())
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
