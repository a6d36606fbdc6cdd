package policy

import (
	"strconv"
	"strings"
	"time"
)

// Record is the why-record of a decision, as the audit trail keeps it: "outcome", the
// keys of the reasons in their order as "reasons", and what their words need, each field
// with the place of its reason ("1.since"). It names no site and no person: an event
// stands in its own site's chain, and who connected Xero is read there.
func (d Decision) Record() map[string]string {
	facts := map[string]string{"outcome": d.Outcome.String()}
	keys := make([]string, 0, len(d.Reasons))
	for i, r := range d.Reasons {
		keys = append(keys, string(r.Key))
		put := func(field, value string) {
			if value != "" {
				facts[strconv.Itoa(i+1)+"."+field] = value
			}
		}
		put("since", stamp(r.Since))
		put("until", stamp(r.Until))
		put("method", string(r.Method))
		if r.Level > 0 {
			put("level", strconv.Itoa(r.Level))
		}
	}
	facts["reasons"] = strings.Join(keys, " ")
	return facts
}

// Recorded reads a why-record back; ok is false where the facts hold none. A field that
// an older release did not record is zero.
func Recorded(facts map[string]string) (outcome string, reasons []Reason, ok bool) {
	outcome, ok = facts["outcome"]
	for i, key := range strings.Fields(facts["reasons"]) {
		get := func(field string) string { return facts[strconv.Itoa(i+1)+"."+field] }
		level, _ := strconv.Atoi(get("level")) // 0 where it was not recorded
		reasons = append(reasons, Reason{
			Key: ReasonKey(key), Since: unstamp(get("since")), Until: unstamp(get("until")),
			Method: MethodKind(get("method")), Level: level,
		})
	}
	return outcome, reasons, ok
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func unstamp(s string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, s) // the zero time where it was not recorded
	return t
}
