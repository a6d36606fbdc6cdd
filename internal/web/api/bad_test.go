package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"keyturn/internal/apikey"
	"keyturn/internal/web/api"
)

// Whatever is sent in whatever field of whatever operation: it is refused in words of our
// own, or is fine, and is never an error of ours.
func TestNothingThatIsSentIsRepeatedByARefusalOrBreaksAnything(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.asks()
		const secret = "hunter2"
		tag := w.call(http.MethodGet, "/api/v1/sites/S1/users/U2", w.key("reads", []apikey.Scope{apikey.ReadUsers}), "").header.Get("ETag")
		values := []string{
			`"` + secret + `\u0000"`, `{"` + secret + `":1}`, `["` + secret + `"]`, "17", "null", "true", `"` + strings.Repeat(secret, 60) + `"`, `"\ud800` + secret + `"`, `"` + secret + `\u202e"`,
		}
		for n, o := range ops {
			if o.body == "" {
				continue
			}
			token := w.key(fmt.Sprint("bad ", n), []apikey.Scope{o.scope}, w.site)
			var fields map[string]json.RawMessage
			if err := json.Unmarshal([]byte(o.body), &fields); err != nil {
				t.Fatal(err)
			}
			bodies := []string{secret, "[]", `"` + secret + `"`, strings.Replace(o.body, "{", `{"`+secret+`":1,`, 1), strings.Replace(o.body, "{", `{"verified":true,`, 1)}
			for field := range fields {
				for _, v := range values {
					body := map[string]json.RawMessage{field: json.RawMessage(v)}
					for other, is := range fields {
						if other != field {
							body[other] = is
						}
					}
					text := "{"
					for k, v := range body {
						text += fmt.Sprintf("%q:%s,", k, v)
					}
					bodies = append(bodies, strings.TrimSuffix(text, ",")+"}")
				}
			}
			for _, body := range bodies {
				got := w.call(o.method, fmt.Sprintf(o.path, "S1"), token, body, "If-Match", tag)
				if got.status >= http.StatusInternalServerError || got.status >= http.StatusBadRequest && strings.Contains(got.body+fmt.Sprint(got.header), secret) {
					t.Errorf("%s of %.200s: %d %s", o.id, body, got.status, got.body)
				}
			}
		}
	})
}

// A name that turns the words after it round would read as another on the pages of admins.
func TestANameThatTurnsWordsRoundIsRefused(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		token := w.key("reports", []apikey.Scope{apikey.WriteIntegrations}, w.site)
		for _, c := range []string{`\u202e`, `\u2066`, `\u061c`, `\u2028`} {
			for _, field := range []string{"organisation", "by"} {
				body := fmt.Sprintf(`{"state":"connected","connected_at":"2026-02-03T04:05:06Z",%q:"Bay%sotuA"}`, field, c)
				got := w.call(http.MethodPut, "/api/v1/sites/S1/integrations/xero", token, body)
				if got.status != http.StatusUnprocessableEntity {
					t.Errorf("%s: %d %s", body, got.status, got.body)
				}
			}
		}
		got := w.call(http.MethodPut, "/api/v1/sites/S1/integrations/xero", token, `{"state":"connected","connected_at":"2026-02-03T04:05:06Z","organisation":"Baý & Söhne 海"}`)
		if got.status != http.StatusOK {
			t.Errorf("a name of another alphabet: %d %s", got.status, got.body)
		}
	})
}

// FuzzACursor reads cursors that nobody made.
func FuzzACursor(f *testing.F) {
	f.Add("WyJ1c2VycyIsIlUxMDAwMDciXQ")
	f.Add("WyJhdWRpdCIsIjQyIl0")
	f.Fuzz(func(t *testing.T, cursor string) {
		parts, err := api.After(cursor, "users", 1)
		if err != nil && parts != nil || err == nil && len(parts) != 1 {
			t.Errorf("%q, %v", parts, err)
		}
		if slices.ContainsFunc(parts, func(s string) bool { return strings.ContainsRune(s, 0) }) {
			t.Errorf("%q cannot be looked up", parts)
		}
	})
}
