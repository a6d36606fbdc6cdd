package webhook

import "keyturn/internal/audit"

// Meant are the kinds of events that something is said of.
func Meant() (all []audit.Kind) {
	for k := range meanings {
		all = append(all, k)
	}
	return all
}

// Changes are the words that say more exactly what happened.
func Changes() (all []string) {
	for _, m := range meanings {
		if m.change != "" {
			all = append(all, m.change)
		}
	}
	return all
}
