package e2etest

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// Main runs a package's tests and then clears up what they shared. It gives the exit code:
//
//	func TestMain(m *testing.M) { os.Exit(e2etest.Main(m)) }
//
// Most of the tests wait for programs and clocks, so more of them run beside each other
// than there are cores, unless the command line says how many.
func Main(m *testing.M) int {
	flag.Parse()
	if at := flag.Lookup("test.parallel"); at != nil && at.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = at.Value.Set("6")
	}
	code := m.Run()
	last.Lock()
	defer last.Unlock()
	for _, end := range slices.Backward(last.all) {
		if err := end(); err != nil {
			_, _ = fmt.Fprintln(os.Stderr, "clear up after the tests:", err)
		}
	}
	return code
}

// last is what is left to do when the last test has ended.
var last struct {
	sync.Mutex
	all []func() error
}

// atEnd does something when the last test of the run has ended.
func atEnd(end func() error) {
	last.Lock()
	defer last.Unlock()
	last.all = append(last.all, end)
}
