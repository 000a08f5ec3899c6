package document

import "fmt"

func sprint(format string, args ...any) string { return fmt.Sprintf(format, args...) }
