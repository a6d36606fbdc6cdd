package e2etest

import (
	"encoding/json"
	"strings"
	"testing"
)

// Event is one event of the audit trail, as an export has it.
type Event struct {
	Chain string            `json:"chain"`
	Seq   int64             `json:"seq"`
	ID    string            `json:"id"`
	Kind  string            `json:"kind"`
	Site  string            `json:"site"`
	User  string            `json:"user"`
	Facts map[string]string `json:"facts"`
}

// Trail exports the whole audit trail and reads its events.
func (p *Product) Trail(t testing.TB) []Event {
	t.Helper()
	var all []Event
	for line := range strings.Lines(p.MustRun(t, "audit", "export")) {
		var one struct {
			Body *Event `json:"body"`
		}
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatalf("the export has a line that cannot be read: %v\n%s", err, line)
		}
		if one.Body != nil {
			all = append(all, *one.Body)
		}
	}
	return all
}

// Count is how many events of a kind there are.
func Count(all []Event, kind string) int {
	n := 0
	for i := range all {
		if all[i].Kind == kind {
			n++
		}
	}
	return n
}
