package redis

// readerLib has what the scripts of readers share.
const readerLib = `
local R = {row = P .. 'reader:', all = P .. 'readers', letters = P .. 'readers:letters', expire = P .. 'readers:expire', contacts = P .. 'readers:contacts'}
-- keep writes a reader; a letter is due, and the reader expires, when it says so.
local function keep(id, body, contact, due, expires)
	call('HSET', R.row .. id, 'b', body, 'c', contact)
	call('ZADD', R.all, 0, id)
	call('HSET', R.contacts, contact, id)
	if due ~= '' then call('ZADD', R.letters, due, id) else call('ZREM', R.letters, id) end
	if expires ~= '' then call('ZADD', R.expire, expires, id) else call('ZREM', R.expire, id) end
end
-- drop removes a reader, if it is there.
local function drop(id)
	local contact = call('HGET', R.row .. id, 'c')
	if not contact then return 0 end
	call('HDEL', R.contacts, contact)
	call('ZREM', R.letters, id)
	call('ZREM', R.expire, id)
	call('ZREM', R.all, id)
	return call('DEL', R.row .. id)
end
-- unlist takes a subscriber's place away, with all that waits to be sent.
local function unlist(id)
	local n = call('DEL', S.row .. id)
	call('ZREM', S.all, id)
	call('ZREM', S.left, id)
	for _, letter in ipairs(call('ZRANGE', P .. 'letters', 0, -1)) do
		if call('HGET', P .. 'letter:' .. letter, 'sub') == id then
			n = n + call('DEL', P .. 'letter:' .. letter)
			call('ZREM', P .. 'letters', letter)
		end
	end
	call('DEL', P .. 'resend:' .. id)
	return n
end
`

// signingKey makes the signing key, if there is none.
//
//	KEYS    1 prefix
//	ARGV    1 a fresh key
//	result  the key
//	cost    O(1)
var signingKey = script(`
call('SETNX', P .. 'signing', ARGV[1])
return {call('GET', P .. 'signing')}
`)

// amend puts a reader in the place of what was read, and its turn in order.
//
//	KEYS    1 prefix
//	ARGV    1 id, 2 hash of the reader that was read or empty, 3 reader, 4 contact, 5 when its letter is due or empty,
//	        6 when it expires or empty, 7 a number that no other amendment has, 8 list, unlist or empty,
//	        9 next, 10 schedule, 11 since, 12 first ms that is not before since
//	result  1, or 0 when it has changed
//	cost    O(log n); of list, as of enrol for one; of unlist, O(m), m dead letters
var amend = script(enlistLib + readerLib + `
local id = ARGV[1]
local v = call('HMGET', R.row .. id, 'b', 'op')
if v[2] == ARGV[7] then return 1 end -- the answer was lost
local hash = ''
if v[1] then hash = redis.sha1hex(v[1]) end
local holder = call('HGET', R.contacts, ARGV[4])
if hash ~= ARGV[2] or holder and holder ~= id then return 0 end
keep(id, ARGV[3], ARGV[4], ARGV[5], ARGV[6])
call('HSET', R.row .. id, 'op', ARGV[7])
if ARGV[8] == 'unlist' then unlist(id) end
if ARGV[8] == 'list' then enlist(id, ARGV[9], ARGV[10], ARGV[11], ARGV[12]) end
return 1
`)

// claimLetters puts letters off that are due.
//
//	KEYS    1 prefix
//	ARGV    1 now, 2 max, 3 until
//	result  the readers to whom they are owed
//	cost    O(m log n)
var claimLetters = script(readerLib + `
local out = {}
for _, id in ipairs(call('ZRANGEBYSCORE', R.letters, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do
	call('ZADD', R.letters, ARGV[3], id)
	table.insert(out, call('HGET', R.row .. id, 'b'))
end
return out
`)

// erase deletes a subscriber, all but its deliveries.
//
//	KEYS    1 prefix
//	ARGV    1 id
//	result  how much was deleted
//	cost    O(m), m dead letters
var erase = script(readerLib + `return unlist(ARGV[1]) + drop(ARGV[1])`)

// sweepReaders deletes one step of the readers that have expired.
//
//	KEYS    1 prefix
//	ARGV    1 now, 2 at most
//	result  how many
//	cost    O(m log n), m deleted
var sweepReaders = script(readerLib + `
local n = 0
for _, id in ipairs(call('ZRANGEBYSCORE', R.expire, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])) do n = n + drop(id) end
return n
`)
