package settings

import (
	"encoding/base64"
	"strings"
	"testing"

	"keyturn/internal/member"
)

func TestACursorThatIsNoTextBeginsTheListAnew(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]member.Cursor{
		`{"First":"kim","Last":"o'sei","ID":"x"}`:                {First: "kim", Last: "o'sei", ID: "x"},
		`{"First":"\u0000","Last":"","ID":"x"}`:                  {},
		`{"First":"` + strings.Repeat("a", 2001) + `","ID":"x"}`: {},
		`{"First":"kim"`: {},
	} {
		if got := cursorOf(base64.RawURLEncoding.EncodeToString([]byte(text))); got != want {
			t.Errorf("%.60s is read as %+.60v", text, got)
		}
	}
}
