package password_test

import (
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keyturn/internal/fault"
	"keyturn/internal/password"
)

type vector struct {
	Form     password.Form `json:"form"`
	From     string        `json:"from"`
	Hash     string        `json:"hash"`
	Password string        `json:"password"`
}

func vectors(tb testing.TB) []vector {
	tb.Helper()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		tb.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(text, &all); err != nil {
		tb.Fatal(err)
	}
	return all
}

func parse(tb testing.TB, encoded string) password.Stored {
	tb.Helper()
	s, err := password.Parse(encoded)
	if err != nil {
		tb.Fatalf("Parse: %v", err)
	}
	return s
}

func TestAHashOfEveryFormMatchesItsPasswordAndNoOther(t *testing.T) {
	t.Parallel()
	seen := map[password.Form]bool{}
	for _, v := range vectors(t) {
		seen[v.Form] = true
		t.Run(string(v.Form)+", "+v.From, func(t *testing.T) {
			t.Parallel()
			s := parse(t, v.Hash)
			if s.Form() != v.Form || s.Encoded() != v.Hash || !s.NeedsRehash() || s.Cost() <= 0 {
				t.Errorf("form %s, needs rehash %v, cost %v", s.Form(), s.NeedsRehash(), s.Cost())
			}
			if !s.Matches(v.Password) {
				t.Error("the password does not match")
			}
			for _, wrong := range []string{"", strings.ToUpper(v.Password), " " + v.Password, v.Password[1:]} {
				if s.Matches(wrong) {
					t.Errorf("%q matches too", wrong)
				}
			}
		})
	}
	for _, f := range []password.Form{
		password.Argon2id, password.Bcrypt, password.PBKDF2, password.Scrypt, password.ASPNetV2, password.ASPNetV3,
	} {
		if !seen[f] {
			t.Errorf("no vector of %s", f)
		}
	}
}

func TestTheSampleExportMatchesItsHints(t *testing.T) {
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
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	checked := map[password.Form]int{}
	for _, row := range rows[1:] {
		encoded, hint := row[column["password_hash"]], row[column["password_hint"]]
		if encoded == "" {
			continue
		}
		s := parse(t, encoded) // every row's hash is read
		if checked[s.Form()] >= 6 {
			continue
		}
		checked[s.Form()]++
		if !s.Matches(hint) || s.Matches(hint+"x") {
			t.Errorf("%s: %s does not tell right from wrong", row[column["user_ref"]], s.Form())
		}
	}
	if len(checked) != 4 {
		t.Errorf("forms in the sample: %v", checked)
	}
}

func TestANewHashMatchesItsPasswordInEveryUnicodeSpelling(t *testing.T) {
	t.Parallel()
	composed, decomposed := "Zo\u00eb drives a Holden", "Zoe\u0308 drives a Holden"
	s := parse(t, password.Hash(decomposed))
	if s.NeedsRehash() || s.Form() != password.Argon2id {
		t.Errorf("a new hash is %v and needs a rehash: %v", s, s.NeedsRehash())
	}
	if !strings.HasPrefix(s.Encoded(), "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("parameters in %q", s.Encoded()[:32])
	}
	for _, right := range []string{composed, decomposed} {
		if !s.Matches(right) {
			t.Errorf("%+q does not match", right)
		}
	}
	for _, wrong := range []string{composed + " ", strings.Replace(composed, " ", "", 1), "Zoe drives a Holden", ""} {
		if s.Matches(wrong) {
			t.Errorf("%+q matches", wrong)
		}
	}
	if again := password.Hash(decomposed); again == s.Encoded() {
		t.Error("two hashes have one salt")
	}
}

func TestLongPasswordsWorkUpToTheLimitAndAreWrongBeyond(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("ü", password.MaxBytes/2)
	s := parse(t, password.Hash(longest))
	if password.TooLong(longest) || !s.Matches(longest) {
		t.Error("a password of 1,000 bytes does not work")
	}
	if s.Matches(longest[:password.MaxBytes-2]) {
		t.Error("its first 998 bytes match too")
	}
	tooLong := strings.Repeat("y", password.MaxBytes+1)
	if !password.TooLong(tooLong) || parse(t, password.Hash(tooLong)).Matches(tooLong) {
		t.Error("a password of 1,001 bytes matches")
	}
	for _, v := range vectors(t) {
		if parse(t, v.Hash).Matches(v.Password + strings.Repeat(" ", 1<<20)) {
			t.Errorf("%s: a megabyte matches", v.Form)
		}
	}
}

func TestBcryptLooksAtTheFirst72BytesLikeTheSystemThatMadeIt(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		if v.Form != password.Bcrypt || len(v.Password) != 72 {
			continue
		}
		s := parse(t, v.Hash)
		if !s.Matches(v.Password + "and more") {
			t.Error("a password of more than 72 bytes is refused")
		}
		if s.Matches(v.Password[:71]) {
			t.Error("71 of the 72 bytes match")
		}
		return
	}
	t.Fatal("no vector of 72 bytes")
}

func TestNobodyMatchesTheDummyAndItCostsWhatANewHashDoes(t *testing.T) {
	t.Parallel()
	d, none := password.Dummy(), password.Stored{}
	real := parse(t, password.Hash("Holden1"))
	for _, s := range []password.Stored{d, none} {
		if s.Cost() != real.Cost() || s.NeedsRehash() {
			t.Errorf("%v costs %v, needs a rehash: %v", s, s.Cost(), s.NeedsRehash())
		}
		for _, p := range []string{"", "Holden1"} {
			if s.Matches(p) {
				t.Errorf("%v matches %q", s, p)
			}
		}
	}
	if again := parse(t, d.Encoded()); again.Form() != password.Argon2id {
		t.Errorf("the dummy reads back as %v", again)
	}
}

func v3(prf, iterations, saltLen uint32, body int) string {
	b := []byte{1}
	for _, n := range []uint32{prf, iterations, saltLen} {
		b = append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return base64.StdEncoding.EncodeToString(append(b, make([]byte, body)...))
}

func TestWhatIsUnknownDamagedOrAbsurdIsRefused(t *testing.T) {
	t.Parallel()
	const salt, key = "MDEyMzQ1Njc4OWFiY2RlZg", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
	good := vectors(t)
	bc := "$2b$10$k9p3iHNzTpR8zDHmpq94G.ME/gBcQNDpsFZrKw3cCtGV80CUFOJqm"
	for name, encoded := range map[string]string{
		"nothing":                      "",
		"a plain password":             "Holden1",
		"MD5 in hex":                   "5f4dcc3b5aa765d61d8327deb882cf99",
		"crypt with SHA-512":           "$6$rounds=5000$saltsalt$abcdefghijklmnop",
		"argon2i":                      "$argon2i$v=19$m=19456,t=2,p=1$" + salt + "$" + key,
		"argon2id of version 16":       "$argon2id$v=16$m=19456,t=2,p=1$" + salt + "$" + key,
		"argon2id without version":     "$argon2id$m=19456,t=2,p=1$" + salt + "$" + key,
		"argon2id that eats memory":    "$argon2id$v=19$m=65537,t=1,p=1$" + salt + "$" + key,
		"argon2id that eats time":      "$argon2id$v=19$m=65536,t=9,p=1$" + salt + "$" + key,
		"argon2id with many lanes":     "$argon2id$v=19$m=19456,t=2,p=17$" + salt + "$" + key,
		"argon2id with no pass":        "$argon2id$v=19$m=19456,t=0,p=1$" + salt + "$" + key,
		"argon2id with no lane":        "$argon2id$v=19$m=19456,t=2,p=0$" + salt + "$" + key,
		"argon2id with too little":     "$argon2id$v=19$m=7,t=2,p=1$" + salt + "$" + key,
		"argon2id with a wrapped m":    "$argon2id$v=19$m=4294986752,t=2,p=1$" + salt + "$" + key,
		"argon2id with a huge m":       "$argon2id$v=19$m=99999999999999999999999,t=2,p=1$" + salt + "$" + key,
		"argon2id with a signed t":     "$argon2id$v=19$m=19456,t=+2,p=1$" + salt + "$" + key,
		"argon2id in another order":    "$argon2id$v=19$t=2,m=19456,p=1$" + salt + "$" + key,
		"argon2id with a short key":    "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$MDEy",
		"argon2id with a short salt":   "$argon2id$v=19$m=19456,t=2,p=1$MDEy$" + key,
		"argon2id with padding":        "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "==$" + key,
		"argon2id with more":           "$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key + "$",
		"bcrypt cut short":             bc[:59],
		"bcrypt with more":             bc + "x",
		"bcrypt with white space":      bc + " ",
		"bcrypt with another alphabet": bc[:59] + "+",
		"bcrypt of cost 3":             strings.Replace(bc, "$10$", "$03$", 1),
		"bcrypt of cost 15":            strings.Replace(bc, "$10$", "$15$", 1),
		"bcrypt of cost 31":            strings.Replace(bc, "$10$", "$31$", 1),
		"bcrypt of no cost":            strings.Replace(bc, "$10$", "$xx$", 1),
		"bcrypt with the x bug":        strings.Replace(bc, "$2b$", "$2x$", 1),
		"PBKDF2 of too many":           "pbkdf2_sha256$1000001$salt$" + key + "=",
		"PBKDF2 of none":               "pbkdf2_sha256$0$salt$" + key + "=",
		"PBKDF2 of minus one":          "pbkdf2_sha256$-1$salt$" + key + "=",
		"PBKDF2 with MD5":              "pbkdf2_md5$1000$salt$" + key + "=",
		"PBKDF2 without salt":          "pbkdf2_sha256$1000$$" + key + "=",
		"PBKDF2 with a short key":      "pbkdf2_sha256$1000$salt$MDEyMw==",
		"PBKDF2 cut short":             "pbkdf2_sha256$1000$salt",
		"passlib with another digest":  "$pbkdf2-sha3$1000$" + salt + "$" + key,
		"passlib of too many":          "$pbkdf2-sha256$1000001$" + salt + "$" + key,
		"scrypt over 64 MiB":           "$scrypt$ln=17,r=8,p=1$" + salt + "$" + key,
		"scrypt with a huge ln":        "$scrypt$ln=64,r=8,p=1$" + salt + "$" + key,
		"scrypt with no ln":            "$scrypt$ln=0,r=8,p=1$" + salt + "$" + key,
		"scrypt with a huge r":         "$scrypt$ln=2,r=1073741824,p=1$" + salt + "$" + key,
		"scrypt with a huge p":         "$scrypt$ln=14,r=8,p=17$" + salt + "$" + key,
		"scrypt over 256 MiB in all":   "$scrypt$ln=16,r=8,p=5$" + salt + "$" + key,
		"scrypt with no r":             "$scrypt$ln=14,r=0,p=1$" + salt + "$" + key,
		"Django scrypt with odd N":     "scrypt$1000$salt$8$1$" + key + "=",
		"Django scrypt over 64 MiB":    "scrypt$131072$salt$8$1$" + key + "=",
		"Identity v2 cut short":        base64.StdEncoding.EncodeToString(make([]byte, 48)),
		"Identity v4":                  base64.StdEncoding.EncodeToString(append([]byte{2}, make([]byte, 60)...)),
		"Identity v3, header alone":    v3(1, 1000, 16, 0),
		"Identity v3, no key":          v3(1, 1000, 16, 16),
		"Identity v3, unknown PRF":     v3(3, 1000, 16, 48),
		"Identity v3, too many":        v3(1, 1_000_001, 16, 48),
		"Identity v3, four thousand m": v3(1, 1<<32-1, 16, 48),
		"Identity v3, none":            v3(1, 0, 16, 48),
		"Identity v3, short salt":      v3(1, 1000, 8, 48),
		"Identity v3, absurd salt":     v3(1, 1000, 1<<32-1, 48),
		"a megabyte":                   strings.Repeat("A", 1<<20),
		"a hash in a line":             good[0].Hash + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := password.Parse(encoded)
			if !errors.Is(err, fault.Invalid) || s.Form() != "" || s.Encoded() != "" {
				t.Fatalf("read as %v, error %v", s, err)
			}
			for _, part := range []string{encoded, salt, key, bc[7:]} {
				if len(part) > 3 && strings.Contains(err.Error(), part) {
					t.Errorf("the error repeats the hash: %v", err)
				}
			}
		})
	}
}

func TestAHashNeverPrintsItself(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		s := parse(t, v.Hash)
		asJSON, err := json.Marshal(struct{ S password.Stored }{s})
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "stored", s)
		shown := fmt.Sprintf("%v %+v %#v %s %q %x %d %v", s, s, s, s, s, s, s, []any{s, &s}) + string(asJSON) + log.String()
		if strings.Contains(shown, v.Hash) || strings.Contains(shown, v.Hash[len(v.Hash)-10:]) {
			t.Errorf("%s prints itself: %s", v.Form, shown)
		}
		if want := "password(" + string(v.Form) + ")"; s.String() != want || !strings.Contains(log.String(), want) {
			t.Errorf("%s does not show its form: %s", v.Form, log.String())
		}
	}
}

func TestCostTellsTheSlowerHash(t *testing.T) {
	t.Parallel()
	const bc = "/gBcQNDpsFZrKw3cCtGV80CUFOJqmabcdefghijklmnopqrstuvwx"
	slow, quick := parse(t, "$2b$14$"+bc), parse(t, "$2b$10$"+bc)
	if slow.Cost() <= quick.Cost() || quick.Cost() <= password.Dummy().Cost() {
		t.Errorf("cost 14: %v, cost 10: %v, argon2id: %v", slow.Cost(), quick.Cost(), password.Dummy().Cost())
	}
}

func FuzzParse(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.Hash)
	}
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$$")
	f.Add("scrypt$1024$$8$1$")
	f.Add(v3(0, 1, 16, 16))
	f.Fuzz(func(t *testing.T, encoded string) {
		s, err := password.Parse(encoded)
		if err != nil {
			if !errors.Is(err, fault.Invalid) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		if s.Encoded() != encoded || s.Cost() <= 0 || s.Cost() > 2e9 {
			t.Errorf("%v costs %v", s, s.Cost())
		}
		if s.Cost() < 5e6 {
			s.Matches("Holden1") // does not panic
		}
	})
}
