package api

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Paged is what every call for a list takes. A page begins after the last thing of the one
// before, whatever came in meanwhile: nothing is listed twice, and nothing is missed that
// was there all the time.
type Paged struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many are given." example:"50"`
	Cursor string `query:"cursor" maxLength:"1000" doc:"Where the page begins: the \"next\" of the page before. Keep the other parameters as they were."`
}

// Turned is what every page of a list says of the next one.
type Turned struct {
	Link string `header:"Link" doc:"The next page, as rel=\"next\" (RFC 8288); absent on the last."`
}

// errCursor is a cursor that is none, or of another list.
var errCursor = func() *Problem {
	return coded(http.StatusUnprocessableEntity, "bad_cursor", "The cursor is none of this list. Begin without one.")
}

// after reads where a page begins: as many parts as the list's order has, none at the
// start. A cursor is not secret and is not signed: it holds places in an order, the look-up
// is bound to the site and the key, and it is checked like everything that is sent.
func (p Paged) after(list string, parts int) ([]string, error) {
	if p.Cursor == "" {
		return make([]string, parts), nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	var all []string
	if err != nil || json.Unmarshal(raw, &all) != nil || len(all) != parts+1 || all[0] != list {
		return nil, errCursor()
	}
	for _, one := range all {
		if !sound(one) {
			return nil, errCursor()
		}
	}
	return all[1:], nil
}

// page cuts what was read, one more than asked, to a page, and says where the next one
// begins. path is that of the list, filters the other parameters as they were.
func page[T any](a *API, p Paged, list, path string, filters url.Values, all []T, place func(T) []string) (items []T, next string, t Turned) {
	if len(all) <= p.Limit {
		return all, "", t
	}
	items = all[:p.Limit]
	raw, _ := json.Marshal(append([]string{list}, place(items[len(items)-1])...)) // strings always can be
	next = base64.RawURLEncoding.EncodeToString(raw)
	query := url.Values{"cursor": {next}, "limit": {strconv.Itoa(p.Limit)}}
	for name, values := range filters {
		if values[0] != "" {
			query[name] = values
		}
	}
	t.Link = "<" + a.Kit.Public(Base+path) + "?" + query.Encode() + `>; rel="next"`
	return items, next, t
}

// micros writes a moment into a cursor, and reads it back.
func micros(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }

func number(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, errCursor()
	}
	return n, nil
}
