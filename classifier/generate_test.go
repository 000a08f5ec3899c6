package classifier

import (
	"strings"

	"pgregory.net/rapid"

	"github.com/newswatch/newswatch/classifier/text"
)

// Random rules and texts are made of few words, so that they meet.
var (
	genWord = rapid.SampledFrom([]string{
		"hunt", "hunting", "huntsman", "p", "phunt", "porn", "porno", "pornography", "child", "csam", "ഹണ്ട", "ഹണ്ടിന്റെ", "पी", "हंट", "हण्ट",
		"organise", "organized", "honor", "honour", "പൊലീസ്", "പോലീസിന്റെ",
	})
	genSep   = rapid.SampledFrom([]string{" ", " ", " ", "-", ". ", "! ", "\n", "\n\n", "’"})
	genField = rapid.SampledFrom([]Field{"", "", "", FieldTitle, FieldLead, FieldBody, FieldAuthor, FieldTag, FieldURL, FieldSource})
)

func genText(words int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(0, words).Draw(t, "words") {
			b.WriteString(genWord.Draw(t, "word"))
			b.WriteString(genSep.Draw(t, "sep"))
		}
		return b.String()
	})
}

var genDoc = rapid.Custom(func(t *rapid.T) *Doc {
	d := &Doc{
		Title: genText(6).Draw(t, "title"), Lead: genText(8).Draw(t, "lead"), Body: genText(20).Draw(t, "body"),
		Authors: rapid.SliceOfN(genText(3), 0, 3).Draw(t, "authors"), Categories: rapid.SliceOfN(genText(2), 0, 2).Draw(t, "tags"),
		URL:    rapid.SampledFrom([]string{"", "https://thehindu.com/p-hunt/porn", "https://www.thehindu.com/", "https://nothehindu.com/csam"}).Draw(t, "url"),
		Source: genText(2).Draw(t, "source"), Lang: rapid.SampledFrom([]string{"", "en", "en-in", "ml"}).Draw(t, "lang"),
	}
	switch rapid.IntRange(0, 3).Draw(t, "overlap") {
	case 0:
		d.Body = d.Lead + d.Body
	case 1:
		words := strings.Fields(d.Body)
		d.Lead = strings.Join(words[:len(words)/2], " ") + " …"
	case 2:
		d.Lead = d.Body
	}
	return d
})

var genTerm = rapid.Custom(func(t *rapid.T) Expr {
	e := &term{field: genField.Draw(t, "field")}
	for range rapid.IntRange(1, 3).Draw(t, "words") {
		w := word{parts: rapid.SliceOfN(genWord, 1, 2).Draw(t, "parts")}
		for i, p := range w.parts {
			w.parts[i] = text.Fold(p)
		}
		last := &w.parts[len(w.parts)-1]
		if rapid.Bool().Draw(t, "prefix") {
			stem := trimVirama(*last)
			if n, need := letters(stem); n >= need {
				*last, w.prefix = stem, true
			}
		}
		if rs := []rune(*last); rapid.IntRange(0, 3).Draw(t, "wild") == 0 {
			rs[rapid.IntRange(0, len(rs)-1).Draw(t, "at")] = '?'
			wild := string(rs)
			if n, need := letters(wild[:strings.IndexByte(wild, '?')]); n >= need-1 && foldWild(wild) == wild {
				*last = wild
			}
		}
		e.words = append(e.words, w)
	}
	return e
})

// genPlace makes what can stand beside a NEAR, in one field.
func genPlace(depth int, f Field) *rapid.Generator[Expr] {
	return rapid.Custom(func(t *rapid.T) Expr {
		kind := 0
		if depth > 0 {
			kind = rapid.IntRange(0, 5).Draw(t, "kind")
		}
		if kind == 0 && rapid.IntRange(0, 3).Draw(t, "exact") == 0 {
			if rapid.Bool().Draw(t, "regexp") {
				return &regex{f, rapid.SampledFrom([]string{"h.nt", "porn[a-z]*", "p ?hunt", "child|csam", "^hunt(ing)?", "ഹണ്ട ", "(P|p) .*porn"}).Draw(t, "re")}
			}
			return &exact{f, rapid.SampledFrom([]string{"hunt", "p-hunt", "child porn", "Hunt"}).Draw(t, "form")}
		}
		switch kind {
		case 1:
			return either(rapid.SliceOfN(genPlace(depth-1, f), 2, 3).Draw(t, "any")...)
		case 2, 3:
			return &near{
				genPlace(depth-1, f).Draw(t, "left"), genPlace(depth-1, f).Draw(t, "right"),
				rapid.IntRange(0, 5).Draw(t, "n"), rapid.Bool().Draw(t, "ordered"),
			}
		}
		if kind == 4 {
			unit := rapid.SampledFrom([]textUnit{sentenceUnit, paragraphUnit}).Draw(t, "unit")
			if a, ok := all(rapid.SliceOfN(genPlace(depth-1, f), 2, 3).Draw(t, "same")...).(*allOf); ok {
				return &same{unit, a.kids}
			}
		}
		if kind == 5 {
			return weigh(genPlace(depth-1, f).Draw(t, "weighted"), 3)
		}
		return &term{f, genTerm.Draw(t, "term").(*term).words}
	})
}

func genExpr(depth int) *rapid.Generator[Expr] {
	return rapid.Custom(func(t *rapid.T) Expr {
		if depth == 0 {
			return genTerm.Draw(t, "term")
		}
		kids := rapid.SliceOfN(genExpr(depth-1), 2, 3)
		switch rapid.IntRange(0, 10).Draw(t, "kind") {
		case 0, 1:
			return all(kids.Draw(t, "all")...)
		case 2, 3:
			return either(kids.Draw(t, "any")...)
		case 4:
			return negate(genExpr(depth-1).Draw(t, "not"))
		case 5:
			return rapid.SampledFrom([]Expr{&siteIs{"thehindu.com"}, &langIs{"en"}, &langIs{"en-in"}}).Draw(t, "origin")
		case 7, 8:
			return genPlace(2, genField.Draw(t, "field")).Draw(t, "near")
		case 9:
			return &atLeast{rapid.IntRange(1, 4).Draw(t, "n"), genPlace(1, genField.Draw(t, "field")).Draw(t, "counted")}
		case 6:
			return &conceptRef{genField.Draw(t, "field"), "c"}
		}
		return genTerm.Draw(t, "term")
	})
}
