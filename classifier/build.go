package classifier

import (
	"cmp"
	"slices"
	"strings"

	"github.com/newswatch/newswatch/classifier/text"
)

// build makes the Ruleset of what was parsed without an error.
func (c *compiler) build() *Ruleset {
	b := &builder{concepts: c.concepts, lex: newLexiconBuilder(), shared: map[conceptUse]condition{}}
	rs := &Ruleset{
		rules: make([]Rule, len(c.rules)), index: make(map[string]int, len(c.rules)),
		compiled: make([]compiled, len(c.rules)), version: c.digest(),
	}
	guards := make([]guard, len(c.rules))
	for i, p := range c.rules {
		rs.rules[i] = p.rule
		rs.index[p.rule.ID] = i
		b.loose = p.rule.Spelling == Loose
		rs.compiled[i] = compiled{cond: b.condition(p.expr, p.rule.Where), filter: filterOf(p.rule)}
		guard, ok := b.guard(rs.compiled[i].cond)
		if !ok {
			rs.always = append(rs.always, int32(i))
		}
		guards[i] = guard
		if f, odd := c.lint(p); odd {
			c.findings = append(c.findings, f)
		}
		if p.rule.Show != ShowExcerpt && weighs(p.expr) {
			c.findings = append(c.findings, c.finding(p.rule, UnusedWeight, "the rule prefers a sentence by ^, and shows none", "leave ^ out, or write show: excerpt"))
		}
	}
	rs.searched = b.searched
	rs.lexicon = b.lex.build()

	rs.waitingAt = make([]int32, b.lex.literals+1)
	for i := range guards {
		guards[i].tidy()
		for _, it := range guards[i].items {
			rs.waitingAt[it.lit+1]++
		}
	}
	for l := range b.lex.literals {
		rs.waitingAt[l+1] += rs.waitingAt[l]
	}
	rs.waiting = make([]waiter, rs.waitingAt[b.lex.literals])
	next := slices.Clone(rs.waitingAt)
	for i, g := range guards {
		for _, it := range g.items {
			rs.waiting[next[it.lit]] = waiter{int32(i), it.also}
			next[it.lit]++
		}
	}

	literals, n := b.lex.literals, len(c.rules)
	rs.pool.New = func() any {
		return &scratch{fields: make([]fieldMask, literals), tried: make([]uint64, n/64+1)}
	}
	return rs
}

func filterOf(r Rule) *filter {
	if len(r.Languages)+len(r.Feeds)+len(r.FeedTags) == 0 {
		return nil
	}
	return &filter{r.Languages, r.Feeds, r.FeedTags}
}

// builder turns expressions into conditions on literals.
type builder struct {
	concepts map[string]*concept
	lex      *lexiconBuilder
	shared   map[conceptUse]condition
	searched fieldMask
	loose    bool // the spelling of the rule that is being built
}

// conceptUse is a concept in some fields: a thousand rules that name it share
// its condition.
type conceptUse struct {
	id    string
	field Field
	where Where
	loose bool
}

func (b *builder) condition(e Expr, where Where) condition {
	if where == Major {
		if c := b.major(e); c != nil {
			return c
		}
	}
	switch e := e.(type) {
	case *allOf:
		return condAll(b.conditions(e.kids, where))
	case *anyOf:
		return condAny(b.conditions(e.kids, where))
	case *negation:
		return condNot{b.condition(e.kid, where)}
	case *near:
		left, right := b.condition(e.left, where).(place), b.condition(e.right, where).(place)
		return &condNear{left, right, int32(e.n), e.ordered}
	case *exact:
		return b.exact(e, maskOf[e.field].within(where))
	case *same:
		kids := make([]place, len(e.kids))
		for i, k := range e.kids {
			kids[i] = b.condition(k, where).(place)
		}
		return &condSame{kids, e.unit}
	case *weighted:
		return &condWeighted{b.condition(e.kid, where), int32(e.n)}
	case *regex:
		return b.regexp(e, maskOf[e.field].within(where))
	case *atLeast:
		return &condAtLeast{e.n, b.condition(e.kid, where).(place)}
	case *siteIs:
		return condSite(e.host)
	case *langIs:
		return condLang(e.tag)
	case *conceptRef:
		return b.concept(e.id, e.field, where)
	case *term:
		return b.term(e, maskOf[e.field].within(where))
	}
	panic("classifier: an expression of an unknown kind")
}

// major makes a condition that holds for a prominent place of e or for many of
// them; nil for what is at no place, whose parts are to be major.
func (b *builder) major(e Expr) condition {
	n := MajorMentions
	switch k := e.(type) {
	case *term, *exact, *regex, *near, *same:
	case *conceptRef:
		if !placesOnly(b.concepts, k.id, 0) {
			return nil
		}
	case *atLeast:
		n = max(n, k.n)
		return condAny{b.condition(e, prominent), &condAtLeast{n, b.condition(k.kid, Anywhere).(place)}}
	default:
		return nil
	}
	return condAny{b.condition(e, prominent), &condAtLeast{n, b.condition(e, Anywhere).(place)}}
}

func (b *builder) conditions(es []Expr, where Where) []condition {
	out := make([]condition, len(es))
	for i, e := range es {
		out[i] = b.condition(e, where)
	}
	return out
}

func (b *builder) term(e *term, mask fieldMask) condition {
	b.searched |= mask
	var lits []literal
	for _, seq := range spellings(e.words, b.loose) {
		lits = append(lits, b.lex.add(seq))
	}
	if len(lits) == 1 {
		return &condLit{lits[0], mask}
	}
	return &condLits{lits, mask}
}

func (b *builder) exact(e *exact, mask fieldMask) condition {
	b.searched |= mask
	var seq []piece
	for w := range strings.FieldsSeq(text.Fold(e.form)) {
		seq = append(seq, piece{s: w})
	}
	return &condExact{condLit{b.lex.add(seq), mask}, e.form}
}

// maxSpellings bounds the sequences of words that a loosely spelt term stands
// for.
const maxSpellings = 256

// spellings are the sequences of words that a term stands for: each word with
// hyphens is its parts side by side, or all of them closed up. The loose ones
// are besides what variants says of each word.
func spellings(words []word, loose bool) [][]piece {
	out := [][]piece{nil}
	for _, w := range words {
		open := make([]piece, len(w.parts))
		for i, s := range w.parts {
			open[i] = piece{s, w.prefix && i == len(w.parts)-1}
		}
		ways := [][]piece{open}
		if len(open) > 1 {
			// Closed up, the parts may fold to something else than side by side.
			if s := foldWild(strings.Join(w.parts, "")); !strings.Contains(s, " ") {
				ways = append(ways, []piece{{s, w.prefix}})
			}
		}
		if loose {
			for _, way := range slices.Clone(ways) {
				for i, p := range way {
					for _, v := range variants(p.s, p.prefix) {
						if other := slices.Clone(way); v != p.s {
							other[i].s = v
							ways = append(ways, other)
						}
					}
				}
			}
			ways = ways[:min(len(ways), max(1, maxSpellings/len(out)))]
		}
		next := make([][]piece, 0, len(out)*len(ways))
		for _, head := range out {
			for _, way := range ways {
				next = append(next, append(slices.Clip(head), way...))
			}
		}
		out = next
	}
	return out
}

// concept makes a condition of a concept's terms, those of its own concepts
// included.
func (b *builder) concept(id string, f Field, where Where) condition {
	use, mask := conceptUse{id, f, where.orAnywhere(), b.loose}, maskOf[f].within(where)
	if c, ok := b.shared[use]; ok {
		return c
	}
	lits := &condLits{mask: mask}
	rest := condAny{}
	for _, e := range b.concepts[id].exprs {
		switch c := b.condition(scoped(e, f), where).(type) {
		case *condLit:
			if c.mask == mask {
				lits.lits = append(lits.lits, c.lit)
				continue
			}
			rest = append(rest, c)
		case *condLits:
			if c.mask == mask {
				lits.lits = append(lits.lits, c.lits...)
				continue
			}
			rest = append(rest, c)
		default:
			rest = append(rest, c)
		}
	}
	var c condition = lits
	if len(rest) > 0 {
		rest = append(rest, lits)
		c = rest
	}
	b.shared[use] = c
	return c
}

// scoped distributes a field over an expression that names none.
func scoped(e Expr, f Field) Expr {
	if f == "" {
		return e
	}
	kids := func(es []Expr) []Expr {
		out := make([]Expr, len(es))
		for i, k := range es {
			out[i] = scoped(k, f)
		}
		return out
	}
	switch e := e.(type) {
	case *allOf:
		return &allOf{kids(e.kids)}
	case *anyOf:
		return &anyOf{kids(e.kids)}
	case *negation:
		return &negation{scoped(e.kid, f)}
	case *exact:
		if e.field == "" {
			return &exact{f, e.form}
		}
	case *near:
		return &near{scoped(e.left, f), scoped(e.right, f), e.n, e.ordered}
	case *atLeast:
		return &atLeast{e.n, scoped(e.kid, f)}
	case *same:
		return &same{e.unit, kids(e.kids)}
	case *weighted:
		return &weighted{scoped(e.kid, f), e.n}
	case *regex:
		if e.field == "" {
			return &regex{f, e.src}
		}
	case *conceptRef:
		if e.field == "" {
			return &conceptRef{f, e.id}
		}
	case *term:
		if e.field == "" {
			return &term{f, e.words}
		}
	}
	return e
}

// guard is a set of literals one of which a document must have to match, and how
// often one of them is guessed to be found.
type guard struct {
	items []guardItem
	cost  float32
}

// guardItem is a literal, and up to two others one of which is needed with it;
// also[0] is -1 where nothing is known to be.
type guardItem struct {
	lit  literal
	also [2]literal
}

// tidy merges repetitions of a literal, each of which lets the rule through.
func (g *guard) tidy() {
	slices.SortFunc(g.items, func(a, b guardItem) int { return cmp.Compare(a.lit, b.lit) })
	out := g.items[:0]
	for _, it := range g.items {
		if n := len(out); n > 0 && out[n-1].lit == it.lit {
			out[n-1].also = [2]literal{-1, -1}
			continue
		}
		out = append(out, it)
	}
	g.items = out
}

// needing adds a second guard to each item that has none.
func (g guard) needing(second guard) guard {
	if len(second.items) == 0 || len(second.items) > 2 {
		return g
	}
	also := [2]literal{second.items[0].lit, -1}
	if len(second.items) == 2 {
		also[1] = second.items[1].lit
	}
	items := slices.Clone(g.items)
	for i := range items {
		if items[i].also[0] < 0 {
			items[i].also = also
		}
	}
	return guard{items, g.cost}
}

// guard returns the cheapest guard of a condition; ok is false if it can hold
// without any literal.
func (b *builder) guard(c condition) (g guard, ok bool) {
	none := [2]literal{-1, -1}
	switch c := c.(type) {
	case *condLit:
		return guard{[]guardItem{{c.lit, none}}, b.lex.rarity[c.lit]}, true
	case *condExact:
		return b.guard(&c.folded)
	case *condLits:
		for _, l := range c.lits {
			g.items = append(g.items, guardItem{l, none})
			g.cost += b.lex.rarity[l]
		}
		return g, true
	case *condNear:
		return b.guard(condAll{c.left, c.right})
	case *condSame:
		kids := make(condAll, len(c.kids))
		for i, k := range c.kids {
			kids[i] = k
		}
		return b.guard(kids)
	case *condWeighted:
		return b.guard(c.of)
	case *condAtLeast:
		return b.guard(c.of)
	case condAll:
		var guards []guard
		for _, k := range c {
			if kg, kok := b.guard(k); kok {
				guards = append(guards, kg)
			}
		}
		if len(guards) == 0 {
			return guard{}, false
		}
		slices.SortStableFunc(guards, func(x, y guard) int { return cmp.Compare(x.cost, y.cost) })
		g = guards[0]
		for _, second := range guards[1:] {
			g = g.needing(second)
		}
		return g, true
	case condAny:
		for _, k := range c {
			kg, kok := b.guard(k)
			if !kok {
				return guard{}, false
			}
			g.items = append(g.items, kg.items...)
			g.cost += kg.cost
		}
		return g, true
	}
	return guard{}, false
}
