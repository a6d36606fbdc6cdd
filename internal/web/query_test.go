package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"keyturn/internal/web"
)

func TestAQueryHoldsOneTextOfEachNameAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		query, want string
		there       bool
	}{
		"a name":                {"find=Ji%C5%99%C3%AD+O%27Dowd", "Jiří O'Dowd", true},
		"nothing typed":         {"find=", "", true},
		"none":                  {"other=1", "", false},
		"twice":                 {"find=a&find=b", "", false},
		"NUL":                   {"find=a%00b", "", false},
		"a line break":          {"find=a%0Ab", "", false},
		"no UTF-8":              {"find=%FF%FE", "", false},
		"as long as it may be":  {"find=" + strings.Repeat("a", 2000), strings.Repeat("a", 2000), true},
		"longer":                {"find=" + strings.Repeat("a", 2001), "", false},
		"an escape that is not": {"find=%zz", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			r.URL = &url.URL{Path: "/", RawQuery: c.query}
			q := web.ReadQuery(r)
			if q.Get("find") != c.want || q.Ticked("find") != c.there {
				t.Errorf("%q is there: %v", q.Get("find"), q.Ticked("find"))
			}
		})
	}
}
