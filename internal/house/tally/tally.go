package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Count is how a suite went. A test with subtests counts by its subtests, unless it
// failed with none of them failing. A package that failed outside its tests (it did
// not build, it panicked, its time ran out) counts as one failure.
type Count struct {
	Passed, Failed, Skipped int
}

func (c Count) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", c.Passed, c.Failed, c.Skipped)
}

// event is one line of go test -json; see go doc test2json.
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
	Elapsed    float64 // seconds
}

// reader gathers a stream of events.
type reader struct {
	out   io.Writer
	count Count
	// said holds what each unfinished test of a package has printed, and under "" what
	// the package itself has.
	said map[string]map[string][]string
	// broken holds the tests of a package that failed, and parents those with subtests.
	broken, parents map[string]map[string]bool
	// why counts the reasons of skipped tests.
	why map[string]int
	// slow are tests that took long.
	slow []event
}

// long is from how many seconds on a test may be named among the slowest, and named how
// many are.
const (
	long  = 5
	named = 20
)

// Read follows a stream of go test -json, writes package lines, failures in full and
// the reasons for skipping to out, and gives the count. What is no event is passed on
// as it is.
func Read(stream io.Reader, out io.Writer) (Count, error) {
	r := reader{
		out:     out,
		said:    map[string]map[string][]string{},
		broken:  map[string]map[string]bool{},
		parents: map[string]map[string]bool{},
		why:     map[string]int{},
	}
	lines := bufio.NewReader(stream)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.line(line)
		}
		if errors.Is(err, io.EOF) {
			r.slowest()
			r.reasons()
			return r.count, nil
		}
		if err != nil {
			return r.count, err
		}
	}
}

func (r *reader) line(line string) {
	var e event
	if err := json.Unmarshal([]byte(line), &e); err != nil || e.Action == "" {
		r.print(line)
		return
	}
	switch {
	case e.Action == "build-output":
		r.print(e.Output)
	case e.Action == "output":
		r.output(e)
	case e.Test != "":
		r.test(e)
	case e.Action == "fail":
		r.packageFailed(e)
	}
}

func (r *reader) output(e event) {
	if e.Test == "" && packageLine(e.Output) {
		r.print(e.Output)
		return
	}
	of(r.said, e.Package)[e.Test] = append(r.said[e.Package][e.Test], e.Output)
}

// packageLine says whether a line is go's own summary of a package.
func packageLine(line string) bool {
	return strings.HasPrefix(line, "ok  \t") || strings.HasPrefix(line, "FAIL\t")
}

func (r *reader) test(e event) {
	if e.Action == "run" {
		if end := strings.LastIndex(e.Test, "/"); end > 0 {
			of(r.parents, e.Package)[e.Test[:end]] = true
		}
		return
	}
	if e.Action != "pass" && e.Action != "fail" && e.Action != "skip" {
		return
	}
	parent := r.parents[e.Package][e.Test]
	if !parent && e.Elapsed >= long {
		r.slow = append(r.slow, e)
	}
	switch e.Action {
	case "pass":
		if !parent {
			r.count.Passed++
		}
	case "skip":
		r.count.Skipped++
		r.why[reason(r.said[e.Package][e.Test])]++
	case "fail":
		if !r.failedBelow(e) {
			r.count.Failed++
		}
		of(r.broken, e.Package)[e.Test] = true
		for _, said := range r.said[e.Package][e.Test] {
			r.print(said)
		}
	}
	delete(r.said[e.Package], e.Test)
}

// failedBelow says whether a subtest of the test has failed, which is then the failure.
func (r *reader) failedBelow(e event) bool {
	for test := range r.broken[e.Package] {
		if strings.HasPrefix(test, e.Test+"/") {
			return true
		}
	}
	return false
}

// packageFailed prints what is left of a package that failed: the words of tests that
// never ended, then its own.
func (r *reader) packageFailed(e event) {
	if len(r.broken[e.Package]) == 0 {
		r.count.Failed++
	}
	said := r.said[e.Package]
	for _, test := range slices.Backward(slices.Sorted(maps.Keys(said))) {
		for _, words := range said[test] {
			r.print(words)
		}
	}
	delete(r.said, e.Package)
}

// reason is what a skipped test said last before go's own lines.
func reason(said []string) string {
	for _, line := range slices.Backward(said) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "---") || strings.HasPrefix(line, "===") {
			continue
		}
		// "file_test.go:12: words": the place differs, the words are the reason.
		if _, words, placed := strings.Cut(line, ".go:"); placed {
			if _, words, placed = strings.Cut(words, ": "); placed {
				return words
			}
		}
		return line
	}
	return "no reason given"
}

// slowest names the tests that took longest: what to look at when the suite takes long.
func (r *reader) slowest() {
	slices.SortFunc(r.slow, func(a, b event) int { return cmp.Compare(b.Elapsed, a.Elapsed) })
	for _, e := range r.slow[:min(named, len(r.slow))] {
		r.print(fmt.Sprintf("slow: %.0f s, %s in %s\n", e.Elapsed, e.Test, e.Package))
	}
}

func (r *reader) reasons() {
	for _, why := range slices.SortedFunc(maps.Keys(r.why), func(a, b string) int {
		return cmp.Or(r.why[b]-r.why[a], strings.Compare(a, b))
	}) {
		r.print(fmt.Sprintf("skipped %d: %s\n", r.why[why], why))
	}
}

// print writes to the terminal or the pipe of whoever runs the suite; when that is
// gone there is nobody to tell.
func (r *reader) print(words string) { _, _ = io.WriteString(r.out, words) }

// of gives a package's own map, made when it is first asked for.
func of[V any](all map[string]map[string]V, name string) map[string]V {
	if all[name] == nil {
		all[name] = map[string]V{}
	}
	return all[name]
}
