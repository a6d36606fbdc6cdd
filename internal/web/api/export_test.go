package api

// After reads a cursor of a list.
func After(cursor, list string, parts int) ([]string, error) {
	return Paged{Cursor: cursor}.after(list, parts)
}
