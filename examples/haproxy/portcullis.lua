-- Asks Portcullis about each request: the action `lua.portcullis` of `http-request`.
--
-- Its arguments are the URL of the question, and the fields that the answer may set, between commas. A request passes only
-- with `txn.portcullis_passes`: HAProxy goes on after an action that failed, so that haproxy.cfg has to refuse all other
-- requests.

-- Longer than `request_time` of the gateway, in milliseconds.
local TIMEOUT = 20000

-- Fields about the client's connection and the body, which is not part of the question.
local NOT_ASKED = {
  ["connection"] = true,
  ["content-length"] = true,
  ["expect"] = true,
  ["keep-alive"] = true,
  ["te"] = true,
  ["trailer"] = true,
  ["transfer-encoding"] = true,
  ["upgrade"] = true,
}

-- Returns the values of a field as a list that begins at 1; HAProxy's begin at 0.
local function list(values)
  local copy = {}
  for number = 0, #values do
    copy[number + 1] = values[number]
  end
  return copy
end

-- Returns the fields of the question: those of the request.
local function question(txn)
  local asked = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    if not NOT_ASKED[name] then
      asked[name] = list(values)
    end
  end
  return asked
end

-- Replaces the client's fields by those of the answer. A field without a value is removed.
local function set_fields(txn, answer, fields)
  for name in fields:lower():gmatch("[^,]+") do
    txn.http:req_del_header(name)
    local value = (answer.headers[name] or { [0] = "" })[0]
    if value ~= "" then
      txn.http:req_add_header(name, value)
    end
    -- HAProxy does not tell that it had no room.
    if txn.sf:req_fhdr(name) ~= value then
      return false
    end
  end
  return true
end

-- Sends the gateway's refusal to the client.
local function refuse(txn, answer)
  local reply = txn:reply({ status = answer.status, body = answer.body })
  for name, values in pairs(answer.headers) do
    if not NOT_ASKED[name] then
      for _, value in ipairs(list(values)) do
        reply:add_header(name, value)
      end
    end
  end
  txn:done(reply)
end

core.register_action("portcullis", { "http-req" }, function(txn, url, fields)
  local answer = core.httpclient():get({ url = url, headers = question(txn), timeout = TIMEOUT })
  if answer.status == 200 then
    local nonce = answer.headers["dpop-nonce"]
    if nonce then
      txn:set_var("txn.portcullis_nonce", nonce[0])
    end
    txn:set_var("txn.portcullis_passes", set_fields(txn, answer, fields))
  elseif answer.status >= 400 and answer.status < 500 or answer.headers["retry-after"] then
    -- HAProxy's own 503, where the gateway cannot be reached, has no Retry-After.
    refuse(txn, answer)
  end
end, 2)
