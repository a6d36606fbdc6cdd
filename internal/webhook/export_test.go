package webhook

import "keyturn/internal/audit"

// Meant are the kinds of events that something is said of.
func Meant() (all []audit.Kind) {
	for k := range meanings {
		all = append(all, k)
	}
	return all
}
