package locale

import "strings"

// AllOf names several people together: "Pat", "Pat and Kim", "Pat, Kim and Sam". It is
// empty for no names.
func AllOf(names []string) string {
	switch len(names) {
	case 0:
		return ""
	case 1:
		return names[0]
	}
	last := len(names) - 1
	return Say(ListAnd, Data{"Some": strings.Join(names[:last], Say(ListComma)), "Last": names[last]})
}
