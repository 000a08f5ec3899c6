package configs

import (
	"embed"
	"fmt"
)

//go:embed schema/*.json
var schemaFiles embed.FS

// Schemas are the kinds of file that Schema has a JSON Schema of.
func Schemas() []string { return []string{"config", "feeds", "subscribers", "rules"} }

// Schema returns the JSON Schema (draft 2020-12) of one kind of file, for an
// editor to complete keys and to underline mistakes by. It sees less than Load:
// no reference from one file to another, and nothing of the language of rules.
func Schema(kind string) ([]byte, error) {
	data, err := schemaFiles.ReadFile("schema/" + kind + ".json")
	if err != nil {
		return nil, fmt.Errorf("configs: there is no schema of %q", kind)
	}
	return data, nil
}
