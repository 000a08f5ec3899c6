package redis

// prefix begins every key. The number is the version of the key space; the braces
// are the hash tag that puts all of it into one slot of a Cluster. Record touches
// a feed's state, its seen ids, items, hits and the log, and must do so as one;
// so all of them live on one node, and a Cluster gives failover here, not room.
const prefix = "newswatch:1:{nw}:"

// The keys, by what they hold. The scripts build the same names from the prefix;
// the prelude has the table of them.
func keyTotals() string             { return prefix + "totals" }          // hash: head, token, seen, letter, delivery
func keyQueue() string              { return prefix + "feeds" }           // zset by ms: when a feed may be claimed
func keyLeft() string               { return prefix + "feeds:left" }      // zset by ms: feeds that left it
func keyRemarks() string            { return prefix + "feeds:remark" }    // zset by grade: feeds in the queue that are not fine
func keyReads() string              { return prefix + "feeds:reads" }     // hash: minute to how many of them had their last good poll in it
func keyGone() string               { return prefix + "feeds:gone" }      // zset by second: feeds with ids that are gone
func keyFeed(id string) string      { return prefix + "feed:" + id }      // string, see the prelude
func keyItems() string              { return prefix + "items" }           // zset by ms stored: item ids
func keyItem(id string) string      { return prefix + "item:" + id }      // string: the encoded item
func keyHits() string               { return prefix + "hits" }            // zset by ms found: item ids
func keyHit(id string) string       { return prefix + "hit:" + id }       // hash: b, the encoded hit without its seqs; s, these
func keyHitRules() string           { return prefix + "hits:rules" }      // zset by ms found: item id, and a zero byte and a rule for each; without quiet hits
func keyLog() string                { return prefix + "log" }             // zset by seq: item id and seq
func keyNotice(id string) string    { return prefix + "notice:" + id }    // hash: b, the encoded notice without its seq; s, that
func keyNoticeLog() string          { return prefix + "notices:log" }     // zset by seq: notice ids; notices has them by ms
func keyAmended(item string) string { return prefix + "amended:" + item } // hash: seq to the encoded amendment without it
func keyAmendmentLog() string       { return prefix + "amendments:log" }  // zset by seq: item id and seq; amendments has them by ms
func keyPurged() string             { return prefix + "purged" }          // hash: item id to feed
func keySubs() string               { return prefix + "subs" }            // zset by ms: when a turn may be claimed
func keySubsLeft() string           { return prefix + "subs:left" }       // zset by ms
func keySub(id string) string       { return prefix + "sub:" + id }       // hash, see the prelude
func keyLetters() string            { return prefix + "letters" }         // zset by ms buried: digest ids
func keyLetter(id string) string    { return prefix + "letter:" + id }
func keyDeliveries() string         { return prefix + "deliveries" }       // zset by ms accepted: number and JSON
func keyReaders() string            { return prefix + "readers" }          // zset, score 0: ids of readers
func keyReader(id string) string    { return prefix + "reader:" + id }     // hash: b, the encoded reader; c, its contact; op, the last amendment
func keyContacts() string           { return prefix + "readers:contacts" } // hash: contact to id
func keySigning() string            { return prefix + "signing" }          // string: the signing key
