// Package rulefile reads rules and concepts from YAML files.
//
// A file is a mapping with rules, concepts, or both. Rules are a list of
// mappings, or, for a file that is nothing but words, a mapping from an id to
// its list of words:
//
//	rules:
//	  - {id: arrests, any: ["arrest*"]}
//
//	rules:
//	  operation-p-hunt: [p-hunt, "operation p hunt"]
//
// Words that must stand together are {words: […], within: n} under near.
//
// A list of words is what any says; words is accepted as another name for any.
// Nothing is ignored: an unknown key, a value of the wrong type or a key that is
// given twice is refused, and text is kept as typed (007, 1.10 and no are words
// like others). Anchors and aliases are refused: a rule is read where it stands.
package rulefile

import (
	"errors"

	"github.com/newswatch/newswatch/classifier"
)

// File is a file that was read. Name is what errors call it.
type File struct {
	Name string
	Data []byte
}

// MaxFile bounds the size of one file, in bytes.
const MaxFile = 64 << 20

// Compile parses the files and compiles what they hold. The error has what is
// wrong with their form and with what they mean, in the order of the files.
func Compile(files []File) (*classifier.Ruleset, []classifier.Finding, error) {
	rules, concepts, formErr := Parse(files)
	rs, findings, err := classifier.Compile(rules, concepts)
	if formErr == nil {
		return rs, findings, err
	}
	all, _ := errors.AsType[classifier.Errors](formErr)
	if more, ok := errors.AsType[classifier.Errors](err); ok {
		all = append(all, more...)
	}
	all.Sort()
	return nil, findings, all
}

// Parse reads the rules and concepts of several files, which share their
// concepts. An error is a classifier.Errors with all that is wrong with the
// form of the files; the rules and concepts are then those that could be read,
// so that Compile can tell in the same run what else is wrong. There are none
// where a file could not be read at all: the others may name its concepts, and
// would be said to be wrong.
func Parse(files []File) ([]classifier.Rule, []classifier.Concept, error) {
	var r reader
	for _, f := range files {
		r.file(f)
	}
	if len(r.errs) > 0 {
		r.errs.Sort()
		if r.lost {
			return nil, nil, r.errs
		}
		return r.rules, r.concepts, r.errs
	}
	return r.rules, r.concepts, nil
}
