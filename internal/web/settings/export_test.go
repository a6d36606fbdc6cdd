package settings

import "time"

// Span is span, for tests.
func (q AuditQuery) Span(zone *time.Location) (from, until time.Time, fault string) {
	return q.span(zone)
}
