package redis

import "github.com/redis/go-redis/v9"

// prelude comes before every script. KEYS[1] is always the prefix, which routes
// the script to the slot of the hash tag.
//
// A feed's hash has st (its encoded state; absent before the first poll), next,
// asked, until (absent without a lease), token, rec, rf, rt (the token of the
// last Record and its stretch of the log), mark, poi, seen and cnt (the packed
// ids and their number), gr (the grade of its health), ok (the minute of its last
// good poll), pat (since when it is paused). A
// subscriber's has sched, cursor, since, next, asked,
// until, token, ended, pend and pid (the pending digest and its id), att, first,
// err, sent, ref (refusals), and while it is paused pat, pby and pwhy (since when,
// by whom, why). Times are milliseconds.
//
// Numbers go out through int: Lua writes 1.7e+12 for a time.
const prelude = `
local P = KEYS[1]
local call = redis.call
local F = {row = P .. 'feed:', all = P .. 'feeds', due = P .. 'feeds:due', left = P .. 'feeds:left'}
local S = {row = P .. 'sub:', all = P .. 'subs', due = P .. 'subs:due', left = P .. 'subs:left'}
local function kind(k) if k == 'f' then return F end return S end
local function int(n) return string.format('%.0f', n) end
local function sooner(a, b)
	if not a or tonumber(b) < tonumber(a) then return b end
	return a
end
local function later(a, b)
	if tonumber(b) > tonumber(a) then return b end
	return a
end
-- requeue puts a row where its lease or its next turn says, and nowhere while it is paused.
local function requeue(k, id)
	local v = call('HMGET', k.row .. id, 'until', 'next', 'pat')
	local at = v[1] or v[2]
	if at and not v[3] and call('ZSCORE', k.all, id) then
		call('ZADD', k.due, at, id)
	else
		call('ZREM', k.due, id)
	end
end
local function held(k, id, token)
	local v = call('HMGET', k.row .. id, 'token', 'until')
	return v[2] and v[1] == token
end
local function ask(k, id, at)
	local v = call('HMGET', k.row .. id, 'until', 'asked')
	if v[1] then call('HSET', k.row .. id, 'asked', sooner(v[2], at)) end
end
-- count adds n to the feeds whose last good poll was in a minute.
local function count(minute, n)
	if minute and call('HINCRBY', P .. 'feeds:reads', minute, n) == 0 then call('HDEL', P .. 'feeds:reads', minute) end
end
-- remark lists a feed of the queue by its grade, unless it is fine.
local function remark(id)
	local v = call('HMGET', F.row .. id, 'gr', 'pat')
	local grade = v[1] or '0'
	if v[2] then grade = '2' end
	if grade == '1' then
		call('ZREM', P .. 'feeds:remark', id)
	else
		call('ZADD', P .. 'feeds:remark', grade, id)
	end
end
local function remove(k, id)
	if call('ZREM', k.all, id) == 1 and k == F then
		call('ZREM', P .. 'feeds:remark', id)
		count(call('HGET', F.row .. id, 'ok'), -1)
	end
	call('ZREM', k.due, id)
end
-- leave takes out of a queue all that want does not name.
local function leave(k, want, now)
	for _, id in ipairs(call('ZRANGE', k.all, 0, -1)) do
		if not want[id] then
			remove(k, id)
			call('ZADD', k.left, now, id)
		end
	end
end
local function enter(k, id)
	if call('ZADD', k.all, 0, id) == 1 and k == F then
		remark(id)
		count(call('HGET', F.row .. id, 'ok'), 1)
	end
	call('ZREM', k.left, id)
	requeue(k, id)
end
-- forget removes a hit and its places in the log.
local function forget(id)
	for seq in string.gmatch(call('HGET', P .. 'hit:' .. id, 's') or '', '%d+') do
		call('ZREM', P .. 'log', id .. seq)
	end
	call('DEL', P .. 'hit:' .. id)
	return call('ZREM', P .. 'hits', id)
end
-- post gives a notice the log's next place, unless it is there.
local function post(id, at, body)
	if call('EXISTS', P .. 'notice:' .. id) == 1 then return end
	local seq = int(call('HINCRBY', P .. 'totals', 'head', 1))
	call('HSET', P .. 'notice:' .. id, 'b', body, 's', seq)
	call('ZADD', P .. 'notices:log', seq, id)
	call('ZADD', P .. 'notices', at, id)
end
local function unpost(id)
	call('DEL', P .. 'notice:' .. id)
	call('ZREM', P .. 'notices:log', id)
	return call('ZREM', P .. 'notices', id)
end
local function padded(n) return string.format('%016.0f', n) end
`

func script(body string) *redis.Script { return redis.NewScript(prelude + body) }

// syncFeeds makes the queue of feeds exactly what is named.
//
//	KEYS    1 prefix
//	ARGV    1 now, 2… ids
//	result  nothing
//	cost    O(n log n), n feeds named and queued
var syncFeeds = script(`
local want = {}
for i = 2, #ARGV do
	local id = ARGV[i]
	want[id] = true
	if call('EXISTS', F.row .. id) == 0 then call('HSET', F.row .. id, 'next', ARGV[1], 'token', 0) end
	if not call('ZSCORE', F.all, id) then enter(F, id) end
end
leave(F, want, ARGV[1])
`)

// claimFeeds leases feeds that are due.
//
//	KEYS    1 prefix
//	ARGV    1 now, 2 max, 3 until
//	result  for each feed: id, state or empty, next or empty, poisoned, token
//	cost    O(m log n), m claimed of n in the queue
var claimFeeds = script(`
local out = {}
for _, id in ipairs(call('ZRANGEBYSCORE', F.due, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
	local row = F.row .. id
	local v = call('HMGET', row, 'st', 'next', 'poi', 'mark')
	local poisoned = tonumber(v[3] or 0)
	if v[4] then poisoned = poisoned + 1 end
	local token = int(call('HINCRBY', P .. 'totals', 'token', 1))
	call('HSET', row, 'until', ARGV[3], 'token', token, 'poi', poisoned)
	call('HDEL', row, 'asked', 'mark')
	call('ZADD', F.due, ARGV[3], id)
	for _, x in ipairs({id, v[1] or '', v[2] or '', int(poisoned), token}) do table.insert(out, x) end
end
return out
`)

// renew extends leases.
//
//	KEYS    1 prefix
//	ARGV    1 until, then for each lease: f or s, id, token
//	result  for each lease: its end, or empty when it is lost
//	cost    O(m log n)
var renew = script(`
local out = {}
for i = 2, #ARGV, 3 do
	local k, id, stop = kind(ARGV[i]), ARGV[i + 1], ''
	if held(k, id, ARGV[i + 2]) then
		stop = later(call('HGET', k.row .. id, 'until'), ARGV[1])
		call('HSET', k.row .. id, 'until', stop)
		requeue(k, id)
	end
	table.insert(out, stop)
end
return out
`)

// dueNow makes feeds or subscribers due.
//
//	KEYS    1 prefix
//	ARGV    1 f or s, 2 now, 3… ids; none means all
//	result  nothing
//	cost    O(m log n)
var dueNow = script(`
local k, ids = kind(ARGV[1]), {}
for i = 3, #ARGV do table.insert(ids, ARGV[i]) end
if #ids == 0 then ids = call('ZRANGE', k.all, 0, -1) end
for _, id in ipairs(ids) do
	if call('ZSCORE', k.all, id) then
		local row = k.row .. id
		call('HSET', row, 'next', sooner(call('HGET', row, 'next'), ARGV[2]))
		ask(k, id, ARGV[2])
		requeue(k, id)
	end
end
`)

// mark notes that a document is about to be parsed, or was.
//
//	KEYS    1 prefix
//	ARGV    1 id, 2 token, 3 1 or 0
//	result  1, or 0 when the lease is lost
//	cost    O(1)
var mark = script(`
if not held(F, ARGV[1], ARGV[2]) then return 0 end
if ARGV[3] == '1' then
	call('HSET', F.row .. ARGV[1], 'mark', 1)
else
	call('HDEL', F.row .. ARGV[1], 'mark')
end
return 1
`)

// release gives leases of feeds back.
//
//	KEYS    1 prefix
//	ARGV    for each lease: id, token
//	result  nothing
//	cost    O(m log n)
var release = script(`
for i = 1, #ARGV, 2 do
	if held(F, ARGV[i], ARGV[i + 1]) then
		call('HDEL', F.row .. ARGV[i], 'until', 'asked', 'mark')
		requeue(F, ARGV[i])
	end
end
`)

// record writes a batch. What was computed from reads comes with a hash of what
// was read, and is refused when that has changed; so it can be computed outside.
//
//	KEYS    1 prefix
//	ARGV    1 feed, 2 token, 3 state, 4 next or empty, 5 poisoned,
//	        6 hash of the seen ids read, 7 new ones or empty, 8 their number, 9 second of the oldest gone or empty,
//	        10 grade, 11 minute of the last good poll or empty, 12 number of items, 13 of notices,
//	        then for each item: id, stored, body; for each notice: id, at, body;
//	        and for each hit: id, hash of the hit read or empty, body, found, seqs ("4 0 +", + for the log's next)
//	result  lost; again, from, to; conflict; or ok and for each hit its seqs, empty when it was purged
//	cost    O(m log n), m items and hits
var record = script(`
local id, row, totals = ARGV[1], F.row .. ARGV[1], P .. 'totals'
local v = call('HMGET', row, 'token', 'rec', 'rf', 'rt', 'seen', 'cnt', 'asked', 'ok', 'gr')
if v[1] == ARGV[2] and v[2] == ARGV[2] then return {'again', v[3], v[4]} end
if not held(F, id, ARGV[2]) then return {'lost'} end
if redis.sha1hex(v[5] or '') ~= ARGV[6] then return {'conflict'} end
local notices = 14 + 3 * tonumber(ARGV[12])
local first = notices + 3 * tonumber(ARGV[13])
for i = first, #ARGV, 5 do
	local h = call('HMGET', P .. 'hit:' .. ARGV[i], 'b', 's')
	local hash = ''
	if h[1] then hash = redis.sha1hex(h[1] .. h[2]) end
	if hash ~= ARGV[i + 1] then return {'conflict'} end
end
if ARGV[7] ~= '' then
	call('HSET', row, 'seen', ARGV[7], 'cnt', ARGV[8])
	call('HINCRBY', totals, 'seen', tonumber(ARGV[8]) - tonumber(v[6] or 0))
	if ARGV[9] ~= '' then call('ZADD', P .. 'feeds:gone', ARGV[9], id) else call('ZREM', P .. 'feeds:gone', id) end
end
for i = 14, notices - 1, 3 do
	if call('HEXISTS', P .. 'purged', ARGV[i]) == 0 then
		call('SET', P .. 'item:' .. ARGV[i], ARGV[i + 2])
		call('ZADD', P .. 'items', ARGV[i + 1], ARGV[i])
	end
end
local from = call('HGET', totals, 'head') or '0'
local out = {'ok'}
for i = first, #ARGV, 5 do
	local seqs, item = {}, ARGV[i]
	if call('HEXISTS', P .. 'purged', item) == 0 then
		for seq in string.gmatch(ARGV[i + 4], '%S+') do
			if seq == '+' then
				seq = int(call('HINCRBY', totals, 'head', 1))
				call('ZADD', P .. 'log', seq, item .. seq)
			end
			table.insert(seqs, seq)
		end
		call('HSET', P .. 'hit:' .. item, 'b', ARGV[i + 2], 's', table.concat(seqs, ' '))
		call('ZADD', P .. 'hits', ARGV[i + 3], item)
	end
	table.insert(out, table.concat(seqs, ' '))
end
for i = notices, first - 1, 3 do post(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
call('HSET', row, 'st', ARGV[3], 'poi', ARGV[5], 'gr', ARGV[10], 'rec', ARGV[2], 'rf', from, 'rt', call('HGET', totals, 'head') or '0')
local queued = call('ZSCORE', F.all, id)
if queued and v[9] ~= ARGV[10] then remark(id) end
if (v[8] or '') ~= ARGV[11] then
	if queued then count(v[8], -1) end
	if ARGV[11] == '' then
		call('HDEL', row, 'ok')
	else
		call('HSET', row, 'ok', ARGV[11])
		if queued then count(ARGV[11], 1) end
	end
end
local next = ARGV[4]
if v[7] then
	if next == '' then next = v[7] else next = sooner(next, v[7]) end
end
if next ~= '' then call('HSET', row, 'next', next) else call('HDEL', row, 'next') end
call('HDEL', row, 'until', 'asked', 'mark')
requeue(F, id)
return out
`)

// putSeen replaces a feed's seen ids.
//
//	KEYS    1 prefix
//	ARGV    1 feed, 2 hash of the ids read, 3 new ones, 4 their number, 5 second of the oldest gone or empty
//	result  how many ids are fewer, or -1 when they have changed
//	cost    O(log n)
var putSeen = script(`
local row = F.row .. ARGV[1]
local v = call('HMGET', row, 'seen', 'cnt')
if not v[1] or redis.sha1hex(v[1]) ~= ARGV[2] then return -1 end
local fewer = tonumber(v[2]) - tonumber(ARGV[4])
call('HSET', row, 'seen', ARGV[3], 'cnt', ARGV[4])
call('HINCRBY', P .. 'totals', 'seen', 0 - fewer)
if ARGV[5] ~= '' then call('ZADD', P .. 'feeds:gone', ARGV[5], ARGV[1]) else call('ZREM', P .. 'feeds:gone', ARGV[1]) end
return fewer
`)

// purge removes an item, and rewrites the digests that mention it.
//
//	KEYS    1 prefix
//	ARGV    1 item, 2 its feed, then for each digest: key, field, hash of what was read, new text
//	result  1, or 0 when a digest has changed
//	cost    O(log n + m)
var purge = script(`
for i = 3, #ARGV, 4 do
	if redis.sha1hex(call('HGET', ARGV[i], ARGV[i + 1]) or '') ~= ARGV[i + 2] then return 0 end
end
for i = 3, #ARGV, 4 do call('HSET', ARGV[i], ARGV[i + 1], ARGV[i + 3]) end
call('HSET', P .. 'purged', ARGV[1], ARGV[2])
forget(ARGV[1])
call('DEL', P .. 'item:' .. ARGV[1])
call('ZREM', P .. 'items', ARGV[1])
return 1
`)

// sweep deletes one step of what is older than a time.
//
//	KEYS    1 prefix
//	ARGV    1 what: hits, notices, items, letters, deliveries, subs, feeds, 2 before, 3 at most
//	result  how many were deleted, and how many seen ids with them
//	cost    O(m log n), m deleted; of letters, all that are older
var sweep = script(`
local what, n, seen = ARGV[1], 0, 0
local set = P .. what
if what == 'subs' or what == 'feeds' then set = set .. ':left' end
local max = ARGV[3]
if what == 'letters' then max = -1 end -- those that wait to be sent stay, and would fill the step
for _, id in ipairs(call('ZRANGEBYSCORE', set, '-inf', '(' .. ARGV[2], 'LIMIT', 0, max)) do
	if what == 'hits' then
		n = n + forget(id)
	elseif what == 'notices' then
		n = n + unpost(id)
	elseif what == 'letters' then
		if call('HEXISTS', P .. 'letter:' .. id, 'resend') == 0 then
			call('DEL', P .. 'letter:' .. id)
			n = n + call('ZREM', set, id)
		end
	else
		if what == 'items' then
			call('DEL', P .. 'item:' .. id)
		elseif what == 'subs' then
			call('DEL', S.row .. id)
		elseif what == 'feeds' then
			seen = seen + tonumber(call('HGET', F.row .. id, 'cnt') or 0)
			call('DEL', F.row .. id)
			call('ZREM', P .. 'feeds:gone', id)
		end
		n = n + call('ZREM', set, id)
	end
end
if seen > 0 then call('HINCRBY', P .. 'totals', 'seen', -seen) end
return {n, seen}
`)
