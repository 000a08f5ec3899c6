package redis

import "github.com/redis/go-redis/v9"

// prelude comes before every script. KEYS[1] is always the prefix, which routes
// the script to the slot of the hash tag.
//
// A queue is a sorted set of ids by when each may be claimed: the end of its
// lease, or its next turn; inf when it has neither or is paused. Both kinds of
// rows have a turn: next, stop (the end of a lease; absent without one), asked
// (what was asked for during it), pause (since when it is paused), and the token of
// the last claim.
//
// A feed's row is one string, because a hash takes twice the memory: its head of
// 59 bytes (see shape, and rowHead in row.go), its state, and the packed set of its
// seen ids. done is 1 when the lease of the token ended with a Record, and from and
// to are that Record's stretch of the log; seen is the number of ids, grade how the
// feed does, minute that of its last good poll, and st the length of the state. A
// subscriber's row is a hash: sched, cursor, since, next, asked, until (what is stop
// here), token, ended, pend and pid (the pending digest and its id), att, first,
// err, sent, ref (refusals), and while it is paused pat, pby and pwhy (since when,
// by whom, why). Times are milliseconds.
//
// Numbers are joined with strings through int: Lua writes 1.7e+12 for a time.
const prelude = `
local P = KEYS[1]
local call = redis.call
local function int(n) return string.format('%.0f', n) end
local F = {row = P .. 'feed:', all = P .. 'feeds', left = P .. 'feeds:left'}
local S = {row = P .. 'sub:', all = P .. 'subs', left = P .. 'subs:left'}
local function kind(k) if k == 'f' then return F end return S end
local shape, head = '>I6I6I6I6I6I6I6I4I2BBBI4I4', 59
local function pack(r)
	return struct.pack(shape, r.next or 0, r.stop or 0, r.asked or 0, r.pause or 0, r.token, r.from, r.to, r.seen, r.poisoned, r.mark,
		r.done, r.grade, r.minute, r.st)
end
function F.get(id)
	local s = call('GETRANGE', F.row .. id, 0, head - 1)
	if s == '' then return nil end
	local r = {}
	r.next, r.stop, r.asked, r.pause, r.token, r.from, r.to, r.seen, r.poisoned, r.mark, r.done, r.grade, r.minute, r.st =
		struct.unpack(shape, s)
	for _, k in ipairs({'next', 'stop', 'asked', 'pause'}) do
		if r[k] == 0 then r[k] = nil end
	end
	return r
end
function F.put(id, r) call('SETRANGE', F.row .. id, 0, pack(r)) end
function F.state(id, r)
	if r.st == 0 then return '' end
	return call('GETRANGE', F.row .. id, head, head + r.st - 1)
end
function F.seen(id, r) return call('GETRANGE', F.row .. id, head + r.st, -1) end
-- F.write puts a whole row, and its number of seen ids into the total.
function F.write(id, r, st, seen, was)
	r.st = #st
	call('SET', F.row .. id, pack(r) .. st .. seen)
	if r.seen ~= was then call('HINCRBY', P .. 'totals', 'seen', r.seen - was) end
end
local function fresh() return {token = 0, from = 0, to = 0, seen = 0, poisoned = 0, mark = 0, done = 0, grade = 0, minute = 0, st = 0} end
function S.get(id)
	local v = call('HMGET', S.row .. id, 'next', 'until', 'asked', 'token', 'pat')
	if not v[4] then return nil end
	return {next = tonumber(v[1]), stop = tonumber(v[2]), asked = tonumber(v[3]), token = tonumber(v[4]), pause = tonumber(v[5])}
end
function S.put(id, r)
	for field, k in pairs({next = 'next', ['until'] = 'stop', asked = 'asked', token = 'token'}) do
		if r[k] then call('HSET', S.row .. id, field, r[k]) else call('HDEL', S.row .. id, field) end
	end
end
local function sooner(a, b)
	if not a or tonumber(b) < tonumber(a) then return tonumber(b) end
	return tonumber(a)
end
local function later(a, b)
	if tonumber(b) > tonumber(a) then return b end
	return a
end
-- requeue puts a row where its lease or its next turn says, and nowhere while it is paused.
local function requeue(k, id)
	local r = k.get(id)
	if call('ZSCORE', k.all, id) then
		call('ZADD', k.all, not r.pause and (r.stop or r.next) or 'inf', id)
	end
end
-- held returns the row when the lease of this token is the last and has not ended.
local function held(k, id, token)
	local r = k.get(id)
	if r and r.stop and r.token == tonumber(token) then return r end
end
-- finish ends a lease; what was asked for during it is not forgotten.
local function finish(r, next)
	if r.asked then next = sooner(next, r.asked) end
	r.next, r.stop, r.asked = next, nil, nil
end
-- count adds n to the feeds whose last good poll was in a minute.
local function count(minute, n)
	if minute == 0 then return end
	if call('HINCRBY', P .. 'feeds:reads', minute, n) == 0 then call('HDEL', P .. 'feeds:reads', minute) end
end
-- remark lists a feed of the queue by its grade, unless it is fine.
local function remark(id)
	local r = F.get(id)
	local grade = r.pause and 2 or r.grade
	if grade == 1 then
		call('ZREM', P .. 'feeds:remark', id)
	else
		call('ZADD', P .. 'feeds:remark', grade, id)
	end
end
local function remove(k, id)
	if call('ZREM', k.all, id) == 1 and k == F then
		call('ZREM', P .. 'feeds:remark', id)
		count(F.get(id).minute, -1)
	end
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
	if call('ZADD', k.all, 'inf', id) == 1 and k == F then
		remark(id)
		count(F.get(id).minute, 1)
	end
	call('ZREM', k.left, id)
	requeue(k, id)
end
-- gone keeps by when the longest gone id of a feed is gone.
local function gone(id, oldest)
	if oldest ~= '' then call('ZADD', P .. 'feeds:gone', oldest, id) else call('ZREM', P .. 'feeds:gone', id) end
end
-- enlist lists a hit by when it was found, and again with its rules, which are empty
-- for one that is quiet. strike takes it out of both.
local function strike(id)
	local found = call('ZSCORE', P .. 'hits', id)
	if not found then return 0 end
	for _, m in ipairs(call('ZRANGEBYSCORE', P .. 'hits:rules', found, found)) do
		if string.sub(m, 1, 16) == id then call('ZREM', P .. 'hits:rules', m) end
	end
	return call('ZREM', P .. 'hits', id)
end
local function enlist(id, found, rules)
	strike(id)
	call('ZADD', P .. 'hits', found, id)
	if rules ~= '' then call('ZADD', P .. 'hits:rules', found, id .. rules) end
end
-- forget removes a hit and its places in the log.
local function forget(id)
	for seq in string.gmatch(call('HGET', P .. 'hit:' .. id, 's') or '', '%d+') do
		call('ZREM', P .. 'log', id .. seq)
	end
	call('DEL', P .. 'hit:' .. id)
	return strike(id)
end
-- place puts an amendment into the log, and unplace takes it out.
local function place(item, seq, at, body)
	call('HSET', P .. 'amended:' .. item, seq, body)
	call('ZADD', P .. 'amendments:log', seq, item .. seq)
	call('ZADD', P .. 'amendments', at, item .. seq)
end
local function unplace(item, seq)
	call('HDEL', P .. 'amended:' .. item, seq)
	call('ZREM', P .. 'amendments:log', item .. seq)
	return call('ZREM', P .. 'amendments', item .. seq)
end
-- amend gives an amendment, if there is one, the log's next place.
local function amend(item, at, body)
	if body ~= '' then place(item, int(call('HINCRBY', P .. 'totals', 'head', 1)), at, body) end
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
	if call('EXISTS', F.row .. id) == 0 then
		local r = fresh()
		r.next = tonumber(ARGV[1])
		F.put(id, r)
	end
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
for _, id in ipairs(call('ZRANGEBYSCORE', F.all, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
	local r = F.get(id)
	r.poisoned = math.min(r.poisoned + r.mark, 65535)
	r.token = call('HINCRBY', P .. 'totals', 'token', 1)
	r.stop, r.asked, r.mark, r.done = tonumber(ARGV[3]), nil, 0, 0
	F.put(id, r)
	call('ZADD', F.all, ARGV[3], id)
	for _, x in ipairs({id, F.state(id, r), r.next and int(r.next) or '', r.poisoned, r.token}) do table.insert(out, x) end
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
	local r = held(k, id, ARGV[i + 2])
	if r then
		r.stop = tonumber(later(r.stop, ARGV[1]))
		stop = int(r.stop)
		k.put(id, r)
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
		local r = k.get(id)
		r.next = sooner(r.next, ARGV[2])
		if r.stop then r.asked = sooner(r.asked, ARGV[2]) end
		k.put(id, r)
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
local r = held(F, ARGV[1], ARGV[2])
if not r then return 0 end
r.mark = tonumber(ARGV[3])
F.put(ARGV[1], r)
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
	local r = held(F, ARGV[i], ARGV[i + 1])
	if r then
		r.stop, r.asked, r.mark = nil, nil, 0
		F.put(ARGV[i], r)
		requeue(F, ARGV[i])
	end
end
`)

// record writes a batch. What was computed from reads comes with a hash of what
// was read, and is refused when that has changed; so it can be computed outside.
//
//	KEYS    1 prefix
//	ARGV    1 feed, 2 token, 3 state, 4 next or empty, 5 poisoned,
//	        6 length of the packed seen ids that were read, or of how they must begin, 7 hash of these bytes,
//	        8 new ones in the place of exactly those, or empty to keep them, 9 their number, 10 second of the oldest gone or empty,
//	        11 grade, 12 minute of the last good poll or 0, 13 number of items, 14 of notices,
//	        then for each item: id, stored, body; for each notice: id, at, body;
//	        and for each hit: id, hash of the hit read or empty, body, found, rules or empty, seqs ("4 0 +", + for the log's next),
//	            time and body of its amendment, or empty
//	result  lost; again, from, to; conflict; or ok and for each hit its seqs, empty when it was purged
//	cost    O(m log n), m items and hits; of a hit that is stored, also those found in the same millisecond
var record = script(`
local id, totals = ARGV[1], P .. 'totals'
local r = F.get(id)
if not r then return {'lost'} end
if r.token == tonumber(ARGV[2]) and r.done == 1 then return {'again', r.from, r.to} end
if not held(F, id, ARGV[2]) then return {'lost'} end
local seen, read = F.seen(id, r), tonumber(ARGV[6])
if redis.sha1hex(string.sub(seen, 1, read)) ~= ARGV[7] or ARGV[8] ~= '' and #seen ~= read then return {'conflict'} end
local notices = 15 + 3 * tonumber(ARGV[13])
local first = notices + 3 * tonumber(ARGV[14])
for i = first, #ARGV, 8 do
	local h = call('HMGET', P .. 'hit:' .. ARGV[i], 'b', 's')
	local hash = ''
	if h[1] then hash = redis.sha1hex(h[1] .. h[2]) end
	if hash ~= ARGV[i + 1] then return {'conflict'} end
end
local had = r.seen
if ARGV[8] ~= '' then
	seen, r.seen = ARGV[8], tonumber(ARGV[9])
	gone(id, ARGV[10])
end
for i = 15, notices - 1, 3 do
	if call('HEXISTS', P .. 'purged', ARGV[i]) == 0 then
		call('SET', P .. 'item:' .. ARGV[i], ARGV[i + 2])
		call('ZADD', P .. 'items', ARGV[i + 1], ARGV[i])
	end
end
local from = call('HGET', totals, 'head') or 0
local out = {'ok'}
for i = first, #ARGV, 8 do
	local seqs, item = {}, ARGV[i]
	if call('HEXISTS', P .. 'purged', item) == 0 then
		for seq in string.gmatch(ARGV[i + 5], '%S+') do
			if seq == '+' then
				seq = int(call('HINCRBY', totals, 'head', 1))
				call('ZADD', P .. 'log', seq, item .. seq)
			end
			table.insert(seqs, seq)
		end
		call('HSET', P .. 'hit:' .. item, 'b', ARGV[i + 2], 's', table.concat(seqs, ' '))
		enlist(item, ARGV[i + 3], ARGV[i + 4])
		amend(item, ARGV[i + 6], ARGV[i + 7])
	end
	table.insert(out, table.concat(seqs, ' '))
end
for i = notices, first - 1, 3 do post(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
r.poisoned, r.mark, r.done = tonumber(ARGV[5]), 0, 1
r.from, r.to = tonumber(from), tonumber(call('HGET', totals, 'head') or 0)
finish(r, tonumber(ARGV[4]))
local was = {grade = r.grade, minute = r.minute}
r.grade, r.minute = tonumber(ARGV[11]), tonumber(ARGV[12])
F.write(id, r, ARGV[3], seen, had)
if call('ZSCORE', F.all, id) then
	if was.grade ~= r.grade then remark(id) end
	if was.minute ~= r.minute then
		count(was.minute, -1)
		count(r.minute, 1)
	end
end
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
local id = ARGV[1]
local r = F.get(id)
if not r or redis.sha1hex(F.seen(id, r)) ~= ARGV[2] then return -1 end
local st, had = F.state(id, r), r.seen
r.seen = tonumber(ARGV[4])
F.write(id, r, st, ARGV[3], had)
gone(id, ARGV[5])
return had - r.seen
`)

// purge removes an item, and rewrites the digests that mention it.
//
//	KEYS    1 prefix
//	ARGV    1 item, 2 its feed, 3 hash of the hit that was read, or empty, 4 and 5 time and body of its withdrawal, or empty,
//	        then for each digest: key, field, hash of what was read, new text
//	result  1, or 0 when the hit or a digest has changed
//	cost    O(log n + m)
var purge = script(`
local h = call('HMGET', P .. 'hit:' .. ARGV[1], 'b', 's')
if (h[1] and redis.sha1hex(h[1] .. h[2]) or '') ~= ARGV[3] then return 0 end
for i = 6, #ARGV, 4 do
	if redis.sha1hex(call('HGET', ARGV[i], ARGV[i + 1]) or '') ~= ARGV[i + 2] then return 0 end
end
for i = 6, #ARGV, 4 do call('HSET', ARGV[i], ARGV[i + 1], ARGV[i + 3]) end
if call('HSET', P .. 'purged', ARGV[1], ARGV[2]) == 1 then
	for _, seq in ipairs(call('HKEYS', P .. 'amended:' .. ARGV[1])) do unplace(ARGV[1], seq) end
end
amend(ARGV[1], ARGV[4], ARGV[5])
forget(ARGV[1])
call('DEL', P .. 'item:' .. ARGV[1])
call('ZREM', P .. 'items', ARGV[1])
return 1
`)

// sweep deletes one step of what is older than a time.
//
//	KEYS    1 prefix
//	ARGV    1 what: hits, amendments, notices, items, letters, deliveries, subs, feeds, 2 before, 3 at most
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
	elseif what == 'amendments' then
		n = n + unplace(string.sub(id, 1, 16), string.sub(id, 17))
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
			seen = seen + F.get(id).seen
			call('DEL', F.row .. id)
			call('ZREM', P .. 'feeds:gone', id)
		end
		n = n + call('ZREM', set, id)
	end
end
if seen > 0 then call('HINCRBY', P .. 'totals', 'seen', -seen) end
return {n, seen}
`)
