-- Sends one operation over and over, each time with a reference of its own and a member drawn at random, and checks every answer.
-- Arguments: template file, values file, path, prefix of the references, marker, random seed.
-- Each line of the values file is a member, a tab, and the bearer token to ask with.

local find, random = string.find, math.random
local head_member, parts, members, tokens = nil, {}, {}, {}
local marker, prefix, counter, start = nil, nil, 0, nil
good, bad, sample = 0, 0, ""

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

-- Splits the template at its placeholders, so that a request is one concatenation.
local function split(template)
  local position = 1
  while true do
    local first, last, name = find(template, "{{(%w+)}}", position)
    if not first then
      table.insert(parts, string.sub(template, position))
      return
    end
    table.insert(parts, string.sub(template, position, first - 1))
    table.insert(parts, name)
    position = last + 1
  end
end

function init(args)
  local file = io.open(args[1], "rb")
  split(file:read("*a"))
  file:close()
  for line in io.lines(args[2]) do
    local member, token = string.match(line, "^([^\t]*)\t(.*)$")
    table.insert(members, member)
    table.insert(tokens, token)
  end
  start = "POST " .. args[3] .. " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    .. "Accept: application/json\r\nAuthorization: Bearer "
  prefix = args[4] .. number .. "-"
  marker = args[5]
  math.randomseed(tonumber(args[6]) + number)
end

function request()
  counter = counter + 1
  local chosen = random(#members)
  local body = {}
  for index = 1, #parts do
    local part = parts[index]
    if index % 2 == 1 then
      body[index] = part
    elseif part == "reference" then
      body[index] = prefix .. counter
    else
      body[index] = members[chosen]
    end
  end
  local text = table.concat(body)
  return start .. tokens[chosen] .. "\r\nContent-Length: " .. #text .. "\r\n\r\n" .. text
end

-- An answer is good if it has what only a success has, and no list of errors.
function response(status, _, body)
  if status == 200 and find(body, marker, 1, true) and not find(body, '"errors":', 1, true) then
    good = good + 1
  else
    bad = bad + 1
    if sample == "" then
      sample = status .. " " .. string.sub(body, 1, 300)
    end
  end
end

function done(summary, latency)
  local all_good, all_bad, first_sample = 0, 0, ""
  for _, thread in ipairs(threads) do
    all_good = all_good + thread:get("good")
    all_bad = all_bad + thread:get("bad")
    if first_sample == "" then
      first_sample = thread:get("sample")
    end
  end
  local errors = summary.errors
  io.write(string.format(
    "RESULT good=%d bad=%d answered=%d microseconds=%d broken=%d p50=%d p90=%d p99=%d max=%d sample=%s\n",
    all_good, all_bad, summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max,
    string.gsub(first_sample, "%s", " ")))
end
