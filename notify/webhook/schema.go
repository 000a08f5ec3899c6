package webhook

import (
	_ "embed"
	"slices"
)

//go:embed schema.json
var schema []byte

// Schema is the JSON Schema (draft 2020-12) of all that is posted to a webhook.
func Schema() []byte { return slices.Clone(schema) }
