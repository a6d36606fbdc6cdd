package signin_test

import (
	"fmt"
	"strings"
	"testing"

	"keyturn/internal/signin"
)

func TestOnlySixDigitsAndSpacesCanBeACode(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		attempt, right := w.again(t, w.pat, home)
		all := shapes(right)
		if len(all) < 2000 {
			t.Fatalf("only %d shapes", len(all))
		}
		for _, shape := range all {
			if next := w.code(t, attempt, shape); next != (signin.Next{Step: signin.AskCode, Wrong: signin.WrongForm}) {
				t.Fatalf("%q: %+v", shape, next)
			}
		}
		if got := w.guesses(t); len(got) != 0 {
			t.Errorf("they cost %q", got)
		}
		if next := w.code(t, attempt, "  "+right[:2]+" "+right[2:4]+"   "+right[4:]+" "); next.Step != signin.In {
			t.Errorf("with spaces: %+v", next)
		}
	})
}

// shapes are texts that hold the right code and are none.
func shapes(right string) []string {
	all := []string{
		"", " ", right[:5], right + "0", "0" + right, "+" + right[1:], "-" + right, right + ".0", "0x" + right, right + "e0",
		strings.Repeat(right, 2), strings.Repeat("0", 1<<16), "null", "[" + right + "]", `{"code":"` + right + `"}`, right[1:],
	}
	for _, zero := range []rune{'０', '٠', '۰', '०', '০', '௦', '๐', '𝟎', '𝟘', '𝟬', '᠐', '߀'} {
		for first := range 6 {
			other := []rune(right)
			for i := first; i < 6; i++ {
				other[i] = zero + other[i] - '0'
			}
			all = append(all, string(other))
		}
	}
	odd := "abcdefOIl!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\x00\x01\x07\b\t\n\v\f\r\x1b\x7f\u0085\u00a0\u00ad\u1680\u2000\u2009\u200b\u200d\u2028\u202e\u202f\u205f\u2060\u3000\ufeff\ufffd²①Ⅵ𐄇"
	for at := range 7 {
		for _, r := range odd {
			all = append(all, right[:at]+string(r)+right[at:]) // one too many
			if at < 6 {
				all = append(all, right[:at]+string(r)+right[at+1:]) // one instead
			}
			all = append(all, right[:at]+" "+string(r)+" "+right[at:])
		}
	}
	for raw := 0x80; raw < 0x100; raw++ {
		all = append(all, right[:3]+string([]byte{byte(raw)})+right[3:], right[:3]+string([]byte{byte(raw)})+right[4:])
	}
	for n := range 400 {
		all = append(all, fmt.Sprint(n), fmt.Sprintf("%07d", n))
	}
	return all
}
