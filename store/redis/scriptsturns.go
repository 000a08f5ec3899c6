package redis

// enlistLib has what puts one subscriber into the queue.
const enlistLib = `
local function enlist(id, next, schedule, since, floor)
	local row = S.row .. id
	local v = call('HMGET', row, 'sched', 'pid')
	if not v[1] then
		local cursor = tonumber(call('HGET', P .. 'totals', 'head') or 0)
		for _, item in ipairs(call('ZRANGEBYSCORE', P .. 'hits', floor, '+inf')) do
			for seq in string.gmatch(call('HGET', P .. 'hit:' .. item, 's'), '%d+') do
				if tonumber(seq) > 0 then cursor = math.min(cursor, tonumber(seq) - 1) end
			end
		end
		for _, notice in ipairs(call('ZRANGEBYSCORE', P .. 'notices', floor, '+inf')) do
			cursor = math.min(cursor, tonumber(call('HGET', P .. 'notice:' .. notice, 's')) - 1)
		end
		call('HSET', row, 'sched', schedule, 'next', next, 'since', since, 'cursor', int(cursor), 'begin', int(cursor), 'token', 0)
	elseif v[1] ~= schedule then
		call('HSET', row, 'sched', schedule)
		if not v[2] then
			local r = S.get(id)
			r.next = tonumber(next)
			if r.stop then r.asked = sooner(r.asked, next) end
			S.put(id, r)
		end
	end
	enter(S, id)
end
`

// enrol makes the queue of subscribers exactly what is named, beside the readers.
//
//	KEYS    1 prefix
//	ARGV    1 now, 2 what ids of readers begin with,
//	        then for each: id, next, schedule, since, first ms that is not before since
//	result  nothing
//	cost    O(n log n), and for each new one O(h), h hits found since
var enrol = script(enlistLib + `
local want = {}
for i = 3, #ARGV, 5 do
	want[ARGV[i]] = true
	enlist(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4])
end
for _, id in ipairs(call('ZRANGE', S.all, 0, -1)) do
	if string.sub(id, 1, #ARGV[2]) == ARGV[2] then want[id] = true end
end
leave(S, want, ARGV[1])
`)

// claimTurns leases subscribers whose turn has come. One without a pending digest
// gets the dead letter that waits longest to be sent again.
//
//	KEYS    1 prefix
//	ARGV    1 now, 2 max, 3 until
//	result  the log's head, then for each: id, token, cursor, since, pending or empty, attempts, first try or empty, refusals, begin
//	cost    O(m log n)
var claimTurns = script(`
local out = {call('HGET', P .. 'totals', 'head') or '0'}
for _, id in ipairs(call('ZRANGEBYSCORE', S.all, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
	local row = S.row .. id
	if call('HEXISTS', row, 'pid') == 0 then
		local waiting = call('ZRANGE', P .. 'resend:' .. id, 0, 0)[1]
		if waiting then
			local letter = string.sub(waiting, 18)
			call('HSET', row, 'pid', letter, 'pend', call('HGET', P .. 'letter:' .. letter, 'd'))
			call('DEL', P .. 'letter:' .. letter)
			call('ZREM', P .. 'letters', letter)
			call('ZREM', P .. 'resend:' .. id, waiting)
		end
	end
	local token = int(call('HINCRBY', P .. 'totals', 'token', 1))
	call('HSET', row, 'until', ARGV[3], 'token', token)
	call('HDEL', row, 'asked')
	call('ZADD', S.all, ARGV[3], id)
	local v = call('HMGET', row, 'cursor', 'since', 'pend', 'att', 'first', 'ref', 'begin')
	for _, x in ipairs({id, token, v[1], v[2], v[3] or '', v[4] or '0', v[5] or '', v[6] or '0', v[7] or '0'}) do table.insert(out, x) end
end
return out
`)

// seal stores a pending digest.
//
//	KEYS    1 prefix
//	ARGV    1 id, 2 token, 3 digest id, 4 digest, 5… the items that it mentions
//	result  ok; lost; purged; or pending and the id of the digest that is
//	cost    O(m), m items
var seal = script(`
if not held(S, ARGV[1], ARGV[2]) then return {'lost'} end
local row = S.row .. ARGV[1]
local pid = call('HGET', row, 'pid')
if pid and pid ~= ARGV[3] then return {'pending', pid} end
if not pid then
	for i = 5, #ARGV do
		if call('HEXISTS', P .. 'purged', ARGV[i]) == 1 then return {'purged'} end
	end
	call('HDEL', row, 'att', 'first', 'err')
	call('HSET', row, 'pid', ARGV[3], 'pend', ARGV[4])
end
return {'ok'}
`)

// endTurn ends a turn.
//
//	KEYS    1 prefix
//	ARGV    1 id, 2 token, 3 advance, ack, retry, bury or release, 4 next, 5 now, 6 cursor, 7 since, 8 reason,
//	        9 hash of the pending digest that was read, or empty, 10 the delivery as JSON up to its attempts,
//	        11 1 where it was refused for good, 12 1 to pause the subscriber
//	result  ok; lost; conflict; pending and its id; or nopending
//	cost    O(log n)
var endTurn = script(`
local id, how, next = ARGV[1], ARGV[3], ARGV[4]
local row = S.row .. id
local v = call('HMGET', row, 'token', 'ended', 'pid', 'pend', 'att', 'cursor', 'since')
if v[1] == ARGV[2] and v[2] == ARGV[2] then return {'ok'} end
if not held(S, id, ARGV[2]) then return {'lost'} end
local hash = ''
if v[4] then hash = redis.sha1hex(v[4]) end
if how ~= 'release' then
	if how == 'advance' then
		if v[3] then return {'pending', v[3]} end
	else
		if not v[3] then return {'nopending'} end
		if hash ~= ARGV[9] then return {'conflict'} end
	end
end
local tries = int(tonumber(v[5] or 0) + 1)
if how == 'retry' then
	call('HSET', row, 'att', tries, 'err', ARGV[8])
	call('HSETNX', row, 'first', ARGV[5])
elseif how ~= 'release' then
	call('HSET', row, 'cursor', later(v[6], ARGV[6]), 'since', later(v[7], ARGV[7]))
end
if how == 'ack' then
	local n = call('HINCRBY', P .. 'totals', 'delivery', 1)
	call('ZADD', P .. 'deliveries', ARGV[5], padded(n) .. ':' .. tries .. ':' .. ARGV[10])
	call('HDEL', row, 'pid', 'pend', 'att', 'first', 'err', 'ref')
	call('HSET', row, 'sent', ARGV[5])
elseif how == 'bury' then
	local letter = P .. 'letter:' .. v[3]
	local old = call('HMGET', letter, 'n', 'resend')
	if old[2] then call('ZREM', P .. 'resend:' .. id, padded(tonumber(old[1])) .. ':' .. v[3]) end
	local n = old[1] or int(call('HINCRBY', P .. 'totals', 'letter', 1))
	call('DEL', letter)
	call('HSET', letter, 'sub', id, 'd', v[4], 'reason', ARGV[8], 'att', tries, 'buried', ARGV[5], 'n', n)
	call('ZADD', P .. 'letters', ARGV[5], v[3])
	call('HDEL', row, 'pid', 'pend', 'att', 'first')
	call('HSET', row, 'err', ARGV[8])
	if ARGV[11] == '1' then call('HINCRBY', row, 'ref', 1) end
	if ARGV[12] == '1' and call('HSETNX', row, 'pat', ARGV[5]) == 1 then call('HSET', row, 'pby', 'receiver', 'pwhy', ARGV[8]) end
end
if call('HEXISTS', row, 'pid') == 0 then
	local waiting = call('ZRANGE', P .. 'resend:' .. id, 0, 0, 'WITHSCORES')
	if waiting[2] then next = sooner(next, waiting[2]) end
end
call('HSET', row, 'ended', ARGV[2])
local r = S.get(id)
finish(r, tonumber(next))
S.put(id, r)
requeue(S, id)
return {'ok'}
`)

// pause keeps a subscriber from being claimed.
//
//	KEYS    1 prefix
//	ARGV    1 id, 2 since, 3 by whom, 4 why
//	result  1, or 0 when there is no such subscriber
//	cost    O(log n)
var pause = script(`
local row = S.row .. ARGV[1]
if call('EXISTS', row) == 0 then return 0 end
if call('HSETNX', row, 'pat', ARGV[2]) == 1 then
	call('HSET', row, 'pby', ARGV[3], 'pwhy', ARGV[4])
	requeue(S, ARGV[1])
end
return 1
`)

// resume ends a pause. What is pending is due at once.
//
//	KEYS    1 prefix
//	ARGV    1 id, 2 now
//	result  1, or 0 when there is no such subscriber
//	cost    O(log n)
var resume = script(`
local row = S.row .. ARGV[1]
if call('EXISTS', row) == 0 then return 0 end
local v = call('HMGET', row, 'pat', 'pid', 'until', 'next')
if v[1] then
	call('HDEL', row, 'pat', 'pby', 'pwhy', 'ref')
	if v[2] and not v[3] then call('HSET', row, 'next', sooner(v[4], ARGV[2])) end
	requeue(S, ARGV[1])
end
return 1
`)

// resend lets a dead letter wait to be sent again.
//
//	KEYS    1 prefix
//	ARGV    1 digest id, 2 now
//	result  1, or 0 when there is no such letter
//	cost    O(log n)
var resend = script(`
local letter = P .. 'letter:' .. ARGV[1]
local v = call('HMGET', letter, 'sub', 'n', 'resend')
if not v[1] then return 0 end
if not v[3] then
	call('HSET', letter, 'resend', ARGV[2])
	call('ZADD', P .. 'resend:' .. v[1], ARGV[2], padded(tonumber(v[2])) .. ':' .. ARGV[1])
end
local row = S.row .. v[1]
local s = call('HMGET', row, 'next', 'until', 'pid')
if s[1] and not s[2] and not s[3] then
	call('HSET', row, 'next', sooner(s[1], ARGV[2]))
	requeue(S, v[1])
end
return 1
`)

// drop deletes a dead letter.
//
//	KEYS    1 prefix
//	ARGV    1 digest id
//	result  1, or 0 when there is no such letter
//	cost    O(log n)
var drop = script(`
local letter = P .. 'letter:' .. ARGV[1]
local v = call('HMGET', letter, 'sub', 'n')
if not v[1] then return 0 end
call('ZREM', P .. 'resend:' .. v[1], padded(tonumber(v[2])) .. ':' .. ARGV[1])
call('ZREM', P .. 'letters', ARGV[1])
return call('DEL', letter)
`)
