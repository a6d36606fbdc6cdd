package address_test

import (
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"keyturn/internal/address"
	"keyturn/internal/fault"
)

func login(t *testing.T, typed string) address.Canonical {
	t.Helper()
	c, err := address.Login(typed)
	if err != nil {
		t.Fatalf("Login(%+q): %v", typed, err)
	}
	return c
}

// fullwidth writes ASCII in the wide forms of East Asian keyboards.
func fullwidth(s string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r <= '~' {
			return r - '!' + '\uff01'
		}
		return r
	}, s)
}

func TestSixtySpellingsOfOneNameAreOneOrRefused(t *testing.T) {
	t.Parallel()
	const name = "zoë.müller@münchen.example"
	const want = address.Canonical("zoë.müller@xn--mnchen-3ya.example")
	d := norm.NFD.String(name)
	same := []string{
		name, strings.ToUpper(name), strings.ToTitle(name), "Zoë.Müller@München.Example", "zOë.mÜLLER@mÜNCHEN.eXAMPLE",
		d, strings.ToUpper(d), norm.NFKD.String(name), norm.NFC.String(d),
		"zo\u00eb.mu\u0308ller@m\u00fcnchen.example", "ZOE\u0308.M\u00dcLLER@MU\u0308NCHEN.EXAMPLE",
		string(want), strings.ToUpper(string(want)), "zoë.müller@XN--MNCHEN-3YA.example", "zoë.müller@Xn--Mnchen-3yA.EXAMPLE.",
		" " + name, name + " ", "   " + name + "   ", "\t" + name, name + "\t", "\u00a0" + name, name + "\u2003",
		"\u3000" + name + "\u3000", "\u200b" + name, name + "\u200b", "\ufeff" + name, name + "\u2060", "\u200e" + name + "\u200f",
		"\u202a" + name + "\u202c", "\u2066" + name + "\u2069", " \u200b " + name + " \u200b ", "\u00ad" + name, name + "\ufe0f",
		name + "\u200d", "\u1680" + name, name + "\u205f", name + "\u2800", name + "\u115f",
		name + ".", " " + strings.ToUpper(name) + ". ", name + "..",
		"zoë.müller@münchen\u3002example", "zoë.müller@münchen\uff0eexample", "zoë.müller@münchen\uff61example",
		"zoë.müller\uff20münchen.example", "zoë.müller\ufe6bmünchen.example", "zoë\uff0emüller@münchen.example",
		"\uff5aoë.müller@münchen.example", fullwidth("zo") + "ë.m" + "ü" + fullwidth("ller@m") + "ü" + fullwidth("nchen.example"),
		fullwidth("ZO") + "Ë" + fullwidth(".M") + "Ü" + fullwidth("LLER@M") + "Ü" + fullwidth("NCHEN.EXAMPLE"),
		"𝐳oë.müller@münchen.example", "ⓩoë.müller@münchen.example", "zºë.müller@münchen.example", "zoë.mü\u2113\u2113er@münchen.example",
		"zoë.müller@münchen.examp\u2113e",
	}
	refused := []string{
		"zoë .müller@münchen.example", "zoë.müller @münchen.example", "zoë.müller@ münchen.example", "zoë.müller@mün chen.example",
		"zoë.mül\u200bler@münchen.example", "zoë.mül\u00adler@münchen.example", "zoë\u202e.müller@münchen.example",
		"zoë.müller@münchen\u200b.example", "zoë.müller@münchen.ex\u00adample",
		name + "\n", "\r\n" + name, "zoë.müller@\nmünchen.example", name + "\u2028", "zoë.müller\x00@münchen.example", name + "\x7f",
		"<" + name + ">", "Zoë Müller <" + name + ">", `"zoë.müller"@münchen.example`, "zoë.müller(work)@münchen.example",
		"zoë.müller@münchen.example(work)", "mailto:" + name, name + ",other@münchen.example", name + ";", name + "\uff0c" + name,
		"zoë.müller%40münchen.example", "zoë\\.müller@münchen.example", "zo\xeb.m\xfcller@m\xfcnchen.example", "zoë.m\ufffdller@münchen.example",
		"zoë.müller@xn--mnchen-3ya\u200d.example", "zoë.müller@xn--.example", "zoë.müller@münchen.example:25", "zoë.müller@[192.0.2.1]",
		"zo\u0451\u034f.müller@münchen.example",
	}
	if len(same)+len(refused) < 60 {
		t.Errorf("only %d spellings", len(same)+len(refused))
	}
	for _, spelling := range same {
		if got, err := address.Login(spelling); err != nil || got != want {
			t.Errorf("%+q became %+q, %v", spelling, got, err)
		}
	}
	for _, spelling := range refused {
		if got, err := address.Login(spelling); !errors.Is(err, fault.Invalid) {
			t.Errorf("%+q became %+q, %v", spelling, got, err)
		}
	}
}

func TestOldLoginNamesStillSignIn(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]address.Canonical{
		"alex":                            "alex",
		" ALEX ":                          "alex",
		"Pat   Smith":                     "pat smith",
		"o'brien & co (sydney)":           "o'brien & co (sydney)",
		"user1207@myworkshop.invalid":     "user1207@myworkshop.invalid",
		"Arjun@@precisionauto16.example":  "arjun@@precisionauto16.example",
		"helen+s01011@ledgerline.example": "helen+s01011@ledgerline.example",
		"pat@front_desk":                  "pat@front_desk",
		"pat@localhost":                   "pat@localhost",
		"pat@bayside..example":            "pat@bayside..example",
		"pat@-bayside-.example":           "pat@-bayside-.example",
		"pat@":                            "pat@",
		"pat@.":                           "pat@",
		".pat.@bayside.example":           ".pat.@bayside.example",
		"ΝΙΚΟΣ.ΠΑΠΑΣ@bayside.example":     "νικος.παπας@bayside.example",
		"νικοσ.παπασ@bayside.example":     "νικος.παπας@bayside.example",
		"İSMAİL@bayside.example":          "ismail@bayside.example",
		"straße@bayside.example":          "straße@bayside.example",
		"STRASSE@bayside.example":         "strasse@bayside.example",
		"рat@bayside.example":             "рat@bayside.example", // the first letter is Cyrillic: another name
		"太郎@bayside.example":              "太郎@bayside.example",
	} {
		t.Run(typed, func(t *testing.T) {
			t.Parallel()
			if got := login(t, typed); got != want {
				t.Errorf("became %+q, want %+q", got, want)
			}
		})
	}
}

func TestWhatIsNoLoginNameIsRefusedWithoutRepeatingIt(t *testing.T) {
	t.Parallel()
	for name, typed := range map[string]string{
		"nothing":                "",
		"spaces":                 " \t\u00a0\u200b",
		"an at sign":             "@",
		"an at sign and dots":    " @.. ",
		"a line break":           "patsmith\nkimlee",
		"a null":                 "patsmith\x00",
		"an escape":              "pat\x1b[31msmith",
		"a list":                 "patsmith@a.example, kimlee@b.example",
		"a tab inside":           "pat\tsmith",
		"a private character":    "patsmith\ue000",
		"255 bytes":              strings.Repeat("patsmith@", 27) + "patsmith.com",
		"many that expand":       strings.Repeat("\ufdfa", 30),
		"a megabyte":             strings.Repeat("patsmith", 1<<17),
		"a domain with a symbol": "patsmith@bay$side.example",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := address.Login(typed)
			if !errors.Is(err, fault.Invalid) || got != "" {
				t.Fatalf("became %+q, %v", got, err)
			}
			if strings.Contains(err.Error(), "smith") {
				t.Errorf("the sentence repeats it: %v", err)
			}
		})
	}
	if got := login(t, strings.Repeat("x", address.MaxBytes)); len(got) != address.MaxBytes {
		t.Errorf("254 bytes became %d", len(got))
	}
}

// Letters whose upper and lower case are each other's only partner.
var letters = rapid.StringOfN(rapid.RuneFrom([]rune("abcxyz0189._-+'éüñøåßλσжщ")), 1, 20, 60)

func TestCaseAndSpaceAroundMakeNoDifference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := letters.Draw(t, "local") + rapid.SampledFrom([]string{"", "@", "@@"}).Draw(t, "at") + letters.Draw(t, "domain")
		space := rapid.StringOfN(rapid.SampledFrom([]rune(" \t\u00a0\u2003\u3000\u200b\ufeff")), 0, 5, -1)
		upper := rapid.SliceOfN(rapid.Bool(), utf8.RuneCountInString(name), -1).Draw(t, "upper")
		i := -1
		variant := space.Draw(t, "before") + strings.Map(func(r rune) rune {
			if i++; upper[i] {
				return unicode.ToUpper(r)
			}
			return r
		}, name) + space.Draw(t, "after")
		if rapid.Bool().Draw(t, "decomposed") {
			variant = norm.NFD.String(variant)
		}
		want, errWant := address.Login(name)
		got, err := address.Login(variant)
		if got != want || (err == nil) != (errWant == nil) {
			t.Fatalf("%+q became %+q, %v; %+q became %+q, %v", name, want, errWant, variant, got, err)
		}
	})
}

// settled fails unless a canonical form keeps its promises.
func settled(t interface{ Fatalf(string, ...any) }, typed string) {
	c, err := address.Login(typed)
	if err != nil {
		if !errors.Is(err, fault.Invalid) || c != "" {
			t.Fatalf("%+q: %+q and an error of another kind: %v", typed, c, err)
		}
		return
	}
	if again, err := address.Login(string(c)); err != nil || again != c {
		t.Fatalf("%+q became %+q, and that %+q, %v", typed, c, again, err)
	}
	if c == "" || len(c) > address.MaxBytes || !utf8.ValidString(string(c)) || !norm.NFKC.IsNormalString(string(c)) {
		t.Fatalf("%+q became %+q", typed, c)
	}
	for _, r := range string(c) {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`,;<>"`, r) {
			t.Fatalf("%+q kept %+q", typed, r)
		}
	}
	if e, err := address.Email(typed); err == nil && (e != c || strings.Count(string(e), "@") != 1) {
		t.Fatalf("%+q is the login name %+q and the address %+q", typed, c, e)
	}
}

func TestACanonicalFormIsItsOwn(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { settled(t, rapid.String().Draw(t, "typed")) })
	rapid.Check(t, func(t *rapid.T) { settled(t, rapid.String().Draw(t, "local")+"@"+rapid.String().Draw(t, "domain")) })
}

func FuzzLogin(f *testing.F) {
	for _, s := range []string{
		"alex", "Arjun@@precisionauto16.example", "zoë@MÜNCHEN.example.", "\u3000ΝΙΚΟΣ\uff20x\u3002gr", "a@xn--mnchen-3ya.example",
		"¨@x", "İ\u0307", "pat@a_b", "x@y.", "σ", "\ufdfa",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) { settled(t, typed) })
}

func TestEveryLoginNameOfTheSampleExportIsAcceptedOrEmpty(t *testing.T) {
	t.Parallel()
	file, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "legacy-users.csv"))
	if errors.Is(err, fs.ErrNotExist) && os.Getenv("KEYTURN_TEST_REQUIRE") != "all" {
		t.Skip("the sample export is not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := -1
	for i, name := range rows[0] {
		if name == "email" {
			column = i
		}
	}
	accepted := 0
	for _, row := range rows[1:] {
		if row[column] == "" {
			continue
		}
		accepted++
		settled(t, row[column])
		login(t, row[column])
	}
	if accepted < 700 {
		t.Errorf("accepted only %d", accepted)
	}
}
