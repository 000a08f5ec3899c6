// Package hyperscan finds literals with the C library of that name, so that the
// classifier's engine can be measured beside it. It is a module of its own: the
// product has no cgo in it. The benchmark needs libhyperscan-dev or
// libvectorscan-dev, a C compiler and the corpus:
//
//	cd tools/hyperscan && go test -bench .
package hyperscan

/*
#cgo pkg-config: libhs
#include <stdlib.h>
#include <hs.h>

static int count(unsigned int id, unsigned long long from, unsigned long long to, unsigned int flags, void *ctx) {
	++*(unsigned int *)ctx;
	return 0;
}

static hs_error_t scan(const hs_database_t *db, const char *data, unsigned int len, hs_scratch_t *scratch, unsigned int *n) {
	return hs_scan(db, data, len, 0, scratch, count, n);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// Database finds a set of literals, whatever the case of their ASCII letters. It
// is for one goroutine.
type Database struct {
	db      *C.hs_database_t
	scratch *C.hs_scratch_t
}

// Compile makes a Database, which Close frees.
func Compile(literals []string) (*Database, error) {
	n := len(literals)
	if n == 0 {
		return nil, errors.New("hyperscan: no literals")
	}
	exprs, lens := make([]*C.char, n), make([]C.size_t, n)
	flags, ids := make([]C.uint, n), make([]C.uint, n)
	for i, s := range literals {
		exprs[i] = C.CString(s)
		defer C.free(unsafe.Pointer(exprs[i]))
		lens[i], flags[i], ids[i] = C.size_t(len(s)), C.HS_FLAG_CASELESS|C.HS_FLAG_SINGLEMATCH, C.uint(i)
	}
	// C must not be handed a Go pointer to Go pointers.
	list := C.malloc(C.size_t(n) * C.size_t(unsafe.Sizeof(exprs[0])))
	defer C.free(list)
	copy(unsafe.Slice((**C.char)(list), n), exprs)

	d := new(Database)
	var failure *C.hs_compile_error_t
	if rc := C.hs_compile_lit_multi((**C.char)(list), &flags[0], &ids[0], &lens[0], C.uint(n), C.HS_MODE_BLOCK, nil, &d.db, &failure); rc != C.HS_SUCCESS {
		defer C.hs_free_compile_error(failure)
		return nil, fmt.Errorf("hyperscan: %s", C.GoString(failure.message))
	}
	if rc := C.hs_alloc_scratch(d.db, &d.scratch); rc != C.HS_SUCCESS {
		d.Close()
		return nil, fmt.Errorf("hyperscan: no memory to scan with: %d", int(rc))
	}
	return d, nil
}

// Count returns how many of the literals a text has.
func (d *Database) Count(text string) (int, error) {
	var n C.uint
	if rc := C.scan(d.db, (*C.char)(unsafe.Pointer(unsafe.StringData(text))), C.uint(len(text)), d.scratch, &n); rc != C.HS_SUCCESS {
		return 0, fmt.Errorf("hyperscan: scanning failed: %d", int(rc))
	}
	return int(n), nil
}

// Close frees the Database.
func (d *Database) Close() {
	C.hs_free_scratch(d.scratch)
	C.hs_free_database(d.db)
}
