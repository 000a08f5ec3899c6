package redis

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// Restore puts rows in the place of those with the same keys, one script a row.
func (s *Store) Restore(ctx context.Context, rows []store.Row) error {
	for _, r := range rows {
		args, err := restoring(r)
		if err == nil {
			_, err = s.run(ctx, restore, args...)
		}
		if err != nil {
			kind, key := r.Kind()
			return fmt.Errorf("%s %s: %w", kind, key, err)
		}
	}
	return nil
}

// milli is a time as a hash holds it; the zero time is empty.
func milli(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}

// positive is a count as a hash holds it; none is empty.
func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// restoring makes the arguments of the script.
func restoring(r store.Row) ([]any, error) {
	switch {
	case r.Counters != nil:
		return []any{"counters", r.Counters.Head, r.Counters.Token}, nil
	case r.Feed != nil:
		f := r.Feed
		body, err := encodeState(f.State)
		if err != nil {
			return nil, err
		}
		seen, err := store.ParseSeen(f.Seen)
		if err != nil {
			return nil, err
		}
		oldest := ""
		if gone, ok := seen.OldestGone(); ok {
			oldest = strconv.FormatInt(gone.Unix(), 10)
		}
		return []any{
			"feed", f.State.FeedID, body, milli(f.State.NextCheck), f.State.Poisoned, f.Seen, seen.Len(), oldest, milli(f.Left),
			int(f.State.Health.Grade), readMinute(f.State), milli(f.State.Paused),
		}, nil
	case r.Item != nil:
		body, err := store.Encode(r.Item)
		return []any{"item", r.Item.Item.ID[:], r.Item.Stored.UnixMilli(), body}, err
	case r.Hit != nil:
		return restoringHit(*r.Hit)
	case r.Notice != nil:
		args, err := noticeArgs([]notify.Notice{*r.Notice})
		return append(append([]any{"notice"}, args...), r.Notice.Seq), err
	case r.Amendment != nil:
		a := r.Amendment
		args, err := amendmentArgs(*a, true)
		return append([]any{"amendment", a.Hit.Item.ID[:], a.Seq}, args...), err
	case r.Purged != nil:
		return []any{"purged", r.Purged.Item[:], r.Purged.Feed}, nil
	case r.Subscriber != nil:
		u := r.Subscriber
		pid, pend := "", []byte(nil)
		if u.Pending != nil {
			body, err := store.Encode(u.Pending)
			if err != nil {
				return nil, err
			}
			pid, pend = u.Pending.ID, body
		}
		var p notify.Pause
		if u.Paused != nil {
			p = *u.Paused
		}
		return []any{
			"subscriber", u.ID, milli(u.Left), "sched", u.Schedule, "cursor", u.Cursor, "begin", positive(int(u.Begin)), "since", u.Since.UnixMilli(), "next", u.Next.UnixMilli(),
			"pid", pid, "pend", pend, "att", positive(u.Attempts), "first", milli(u.FirstTry), "err", u.LastError, "sent", milli(u.LastSent),
			"pat", milli(p.Since), "pby", string(p.By), "pwhy", p.Why, "ref", positive(u.Refusals),
		}, nil
	case r.Letter != nil:
		l := r.Letter
		body, err := store.Encode(l.Digest)
		return []any{"letter", l.Digest.ID, l.Subscriber, body, l.Reason, l.Attempts, l.Buried.UnixMilli(), milli(l.Asked)}, err
	case r.Delivery != nil:
		d := r.Delivery
		j, err := deliveryJSON(notify.Delivery{Digest: d.Digest, Subscriber: d.Subscriber, Entries: d.Entries, Hits: d.Hits})
		return []any{"delivery", d.Accepted.UnixMilli(), strconv.Itoa(d.Attempts) + ":" + j}, err
	case r.Reader != nil:
		args, err := readerArgs(*r.Reader, "")
		return append([]any{"reader"}, args...), err
	case r.SigningKey != nil:
		return []any{"signing", r.SigningKey}, nil
	}
	return []any{"nothing"}, nil
}

func restoringHit(h classifier.Hit) ([]any, error) {
	body, seqs, err := split(h, nil)
	return []any{"hit", h.Item.ID[:], h.Found.UnixMilli(), tallied(h), body, seqs}, err
}

func deliveryJSON(d notify.Delivery) (string, error) {
	j, err := json.Marshal(d)
	if err != nil {
		return "", fmt.Errorf("redis: %w", err)
	}
	return string(j), nil
}

// restore puts one row in its place.
//
//	KEYS    1 prefix
//	ARGV    1 kind, then
//	        counters: head, token
//	        feed: id, state, next or empty, poisoned, seen ids, their number, second of the oldest gone or empty,
//	            when it left or empty, grade, minute of the last good poll or 0, since when it is paused or empty
//	        item: id, stored, body
//	        hit: id, found, rules or empty, body, seqs
//	        notice: id, at, body, seq
//	        amendment: id, seq, at, body
//	        purged: id, feed
//	        subscriber: id, when it left or empty, then fields and values, of which the empty are left out
//	        letter: id, subscriber, digest, reason, attempts, buried, since when it waits or empty
//	        delivery: accepted, attempts and JSON
//	        reader: id, nothing, reader, contact, when its letter is due or empty, when it expires or empty
//	        signing: the key
//	result  nothing
//	cost    O(log n); of a hit and of a delivery, also those found or accepted in the same millisecond
var restore = script(readerLib + `
local totals = P .. 'totals'
local function queue(k, id, left)
	if left == '' then return enter(k, id) end
	remove(k, id)
	call('ZADD', k.left, left, id)
end
local put = {}
function put.counters(head, token) call('HSET', totals, 'head', head, 'token', token) end
function put.feed(id, st, next, poisoned, seen, n, oldest, left, grade, minute, paused)
	remove(F, id) -- with what its row counts for
	local old, r = F.get(id) or fresh(), fresh()
	r.next, r.poisoned, r.seen, r.pause = tonumber(next), tonumber(poisoned), tonumber(n), tonumber(paused)
	r.grade, r.minute = tonumber(grade), tonumber(minute)
	F.write(id, r, st, seen, old.seen)
	gone(id, oldest)
	queue(F, id, left)
end
function put.item(id, stored, body)
	call('SET', P .. 'item:' .. id, body)
	call('ZADD', P .. 'items', stored, id)
end
function put.hit(id, found, rules, body, seqs)
	forget(id)
	call('HSET', P .. 'hit:' .. id, 'b', body, 's', seqs)
	enlist(id, found, rules)
	for seq in string.gmatch(seqs, '%d+') do
		if seq ~= '0' then call('ZADD', P .. 'log', seq, id .. seq) end
	end
end
function put.notice(id, at, body, seq)
	unpost(id)
	call('HSET', P .. 'notice:' .. id, 'b', body, 's', seq)
	call('ZADD', P .. 'notices:log', seq, id)
	call('ZADD', P .. 'notices', at, id)
end
function put.amendment(id, seq, at, body)
	unplace(id, seq)
	place(id, seq, at, body)
end
function put.purged(id, feed) call('HSET', P .. 'purged', id, feed) end
function put.subscriber(id, left, ...)
	local row, fields = S.row .. id, {...}
	call('DEL', row)
	call('HSET', row, 'token', 0)
	for i = 1, #fields, 2 do
		if fields[i + 1] ~= '' or fields[i] == 'sched' then call('HSET', row, fields[i], fields[i + 1]) end
	end
	queue(S, id, left)
end
function put.letter(id, sub, digest, reason, attempts, buried, asked)
	local letter = P .. 'letter:' .. id
	local n = call('HGET', letter, 'n')
	if n then call('ZREM', P .. 'resend:' .. sub, padded(tonumber(n)) .. ':' .. id) end
	n = n or int(call('HINCRBY', totals, 'letter', 1))
	call('DEL', letter)
	call('HSET', letter, 'sub', sub, 'd', digest, 'reason', reason, 'att', attempts, 'buried', buried, 'n', n)
	call('ZADD', P .. 'letters', buried, id)
	if asked ~= '' then
		call('HSET', letter, 'resend', asked)
		call('ZADD', P .. 'resend:' .. sub, asked, padded(tonumber(n)) .. ':' .. id)
	end
end
function put.delivery(accepted, rest)
	for _, m in ipairs(call('ZRANGEBYSCORE', P .. 'deliveries', accepted, accepted)) do
		if string.sub(m, 18) == rest then return end
	end
	call('ZADD', P .. 'deliveries', accepted, padded(call('HINCRBY', totals, 'delivery', 1)) .. ':' .. rest)
end
function put.reader(id, _, ...) keep(id, ...) end
function put.signing(key) call('SET', P .. 'signing', key) end
if put[ARGV[1]] then put[ARGV[1]](unpack(ARGV, 2)) end
`)

// inspect compares what is kept twice.
//
//	KEYS    1 prefix
//	result  a sentence for each thing that is wrong, at most 100
//	cost    O(n): for a server that nobody else waits for
var inspect = script(readerLib + `
local out = {}
local function say(...) if #out < 100 then table.insert(out, table.concat({...})) end end
local function hex(s) return (string.gsub(s, '.', function(c) return string.format('%02x', string.byte(c)) end)) end
local token = tonumber(call('HGET', P .. 'totals', 'token') or 0)
local count, reads = 0, {}
for _, k in ipairs({F, S}) do
	local name = k == F and 'feed ' or 'subscriber '
	for _, set in ipairs({k.all, k.left}) do
		for _, id in ipairs(call('ZRANGE', set, 0, -1)) do
			local r = k.get(id)
			if not r then
				say(name, id, ' is listed and has no row')
			else
				if r.token > token then say(name, id, ' has a token that was never given') end
				count = count + (r.seen or 0)
				local due = not r.pause and (r.stop or r.next) or math.huge
				if set == k.all and tonumber(call('ZSCORE', set, id)) ~= due then say(name, id, ' is not queued for when it is due') end
				if k == F then
					local grade = r.pause and 2 or r.grade
					if set ~= k.all or grade == 1 then grade = -1 end
					if tonumber(call('ZSCORE', P .. 'feeds:remark', id) or -1) ~= grade then say(name, id, ' is not listed by how it does') end
					local minute = tostring(r.minute)
					if set == k.all and r.minute > 0 then reads[minute] = (reads[minute] or 0) + 1 end
				end
			end
		end
	end
end
if count ~= tonumber(call('HGET', P .. 'totals', 'seen') or 0) then say('the number of seen ids is not the sum of the feeds\' own') end
local kept = call('HGETALL', P .. 'feeds:reads')
for i = 1, #kept, 2 do
	if (reads[kept[i]] or 0) ~= tonumber(kept[i + 1]) then say('the feeds that were read in minute ', kept[i], ' are miscounted') end
	reads[kept[i]] = nil
end
for minute in pairs(reads) do say('the feeds that were read in minute ', minute, ' are not counted') end
for _, id in ipairs(call('ZRANGE', P .. 'notices', 0, -1)) do
	local seq = call('HGET', P .. 'notice:' .. id, 's')
	if not seq or tonumber(call('ZSCORE', P .. 'notices:log', id) or 0) ~= tonumber(seq) then say('notice ', id, ' is not in the log') end
end
if call('ZCARD', P .. 'notices:log') ~= call('ZCARD', P .. 'notices') then say('the log holds places of notices that are not there') end
for _, m in ipairs(call('ZRANGE', P .. 'amendments', 0, -1)) do
	local item, seq = string.sub(m, 1, 16), string.sub(m, 17)
	if call('HEXISTS', P .. 'amended:' .. item, seq) == 0 or tonumber(call('ZSCORE', P .. 'amendments:log', m) or 0) ~= tonumber(seq) then
		say('an amendment of ', hex(item), ' is not in the log at ', seq)
	end
end
if call('ZCARD', P .. 'amendments:log') ~= call('ZCARD', P .. 'amendments') then say('the log holds places of amendments that are not there') end
for _, id in ipairs(call('ZRANGE', P .. 'items', 0, -1)) do
	if call('EXISTS', P .. 'item:' .. id) == 0 then say('item ', hex(id), ' is listed and not there') end
end
local places, counted = 0, {}
local tallied = call('ZRANGE', P .. 'hits:rules', 0, -1, 'WITHSCORES')
for i = 1, #tallied, 2 do
	local _, rules = string.gsub(string.sub(tallied[i], 17), '%z', '')
	counted[string.sub(tallied[i], 1, 16)] = {rules = rules, found = tallied[i + 1]}
end
local reported = 0
for _, id in ipairs(call('ZRANGE', P .. 'hits', 0, -1)) do
	local seqs = call('HGET', P .. 'hit:' .. id, 's')
	if not seqs then say('hit ', hex(id), ' is listed and not there') end
	local rules, told = 0, false
	for seq in string.gmatch(seqs or '', '%d+') do
		rules = rules + 1
		if seq ~= '0' then
			places, told = places + 1, true
			if not call('ZSCORE', P .. 'log', id .. seq) then say('hit ', hex(id), ' is not in the log at ', seq) end
		end
	end
	local c = counted[id]
	if told then
		reported = reported + 1
		if not c or c.rules ~= rules or c.found ~= call('ZSCORE', P .. 'hits', id) then say('hit ', hex(id), ' is not counted as it is') end
	end
end
if #tallied ~= 2 * reported then say('hits are counted that are not there, or quiet') end
if call('ZCARD', P .. 'log') ~= places then say('the log holds places that belong to no hit') end
for _, id in ipairs(call('ZRANGE', P .. 'letters', 0, -1)) do
	if call('EXISTS', P .. 'letter:' .. id) == 0 then say('dead letter ', id, ' is listed and not there') end
end
for _, id in ipairs(call('ZRANGE', R.all, 0, -1)) do
	local contact = call('HGET', R.row .. id, 'c')
	if not contact or call('HGET', R.contacts, contact) ~= id then say('reader ', id, ' is not found by its contact') end
end
if call('HLEN', R.contacts) ~= call('ZCARD', R.all) then say('a contact leads to no reader') end
return out
`)

// Inspect compares what is kept twice.
func (s *Store) Inspect(ctx context.Context) ([]string, error) { return s.list(ctx, inspect) }
