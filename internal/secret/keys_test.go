package secret_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"
	"golang.org/x/mod/sumdb/note"

	"keyturn/internal/secret"
)

var home = secret.Place{Owner: "site-1", Table: "integrations", Row: "row-1", Column: "token"}

func memory(tb testing.TB) *secret.Keys {
	tb.Helper()
	k, err := secret.Memory()
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func sealed(tb testing.TB, k *secret.Keys, at secret.Place, plain string) []byte {
	tb.Helper()
	b, err := k.Seal(at, []byte(plain))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestWhatIsSealedOpensInItsPlace(t *testing.T) {
	t.Parallel()
	k := memory(t)
	for _, plain := range []string{"", "493027", strings.Repeat("long ", 100_000)} {
		s := sealed(t, k, home, plain)
		if plain != "" && bytes.Contains(s, []byte(plain)) {
			t.Error("the value can be read")
		}
		if len(s) != len(plain)+33 {
			t.Errorf("%d bytes more than the value", len(s)-len(plain))
		}
		got, err := k.Open(home, s)
		if err != nil || string(got) != plain {
			t.Errorf("a value of %d bytes does not come back: %v", len(plain), err)
		}
	}
	if bytes.Equal(sealed(t, k, home, "493027"), sealed(t, k, home, "493027")) {
		t.Error("two seals of one value are the same")
	}
}

func TestASealedValueDoesNotOpenInAnotherPlace(t *testing.T) {
	t.Parallel()
	k := memory(t)
	s := sealed(t, k, home, "493027")
	places := map[string]secret.Place{
		"another owner":  {Owner: "site-2", Table: "integrations", Row: "row-1", Column: "token"},
		"another table":  {Owner: "site-1", Table: "messages", Row: "row-1", Column: "token"},
		"another row":    {Owner: "site-1", Table: "integrations", Row: "row-2", Column: "token"},
		"another column": {Owner: "site-1", Table: "integrations", Row: "row-1", Column: "refresh"},
		"swapped":        {Owner: "row-1", Table: "integrations", Row: "site-1", Column: "token"},
		"a border moved": {Owner: "site-1i", Table: "ntegrations", Row: "row-1", Column: "token"},
		"no owner":       {Table: "integrations", Row: "row-1", Column: "token"},
	}
	for name, at := range places {
		if got, err := k.Open(at, s); err == nil {
			t.Errorf("%s: it opens, %q", name, got)
		} else if strings.Contains(err.Error(), "493027") {
			t.Errorf("%s: the error says %q", name, err)
		}
	}
	if _, err := memory(t).Open(home, s); err == nil {
		t.Error("it opens with other keys")
	}
}

func TestAChangedValueDoesNotOpen(t *testing.T) {
	t.Parallel()
	k := memory(t)
	s := sealed(t, k, home, "493027")
	for i := range len(s) * 8 {
		b := bytes.Clone(s)
		b[i/8] ^= 1 << (i % 8)
		if _, err := k.Open(home, b); err == nil {
			t.Errorf("it opens with bit %d changed", i)
		}
	}
	for n := range s {
		if _, err := k.Open(home, s[:n]); err == nil {
			t.Errorf("it opens cut to %d bytes", n)
		}
	}
	if _, err := k.Open(home, append(bytes.Clone(s), 0)); err == nil {
		t.Error("it opens with a byte more")
	}
}

func TestAPlaceNeedsAllFourParts(t *testing.T) {
	t.Parallel()
	k := memory(t)
	for name, change := range map[string]func(*secret.Place){
		"owner":  func(p *secret.Place) { p.Owner = "" },
		"table":  func(p *secret.Place) { p.Table = "" },
		"row":    func(p *secret.Place) { p.Row = "" },
		"column": func(p *secret.Place) { p.Column = "" },
	} {
		at := home
		change(&at)
		if _, err := k.Seal(at, []byte("x")); err == nil {
			t.Errorf("sealed with no %s", name)
		}
	}
}

func TestAMACIsOfItsPurposeAndParts(t *testing.T) {
	t.Parallel()
	k := memory(t)
	m := k.MAC("signin code", "attempt", "493027")
	if !bytes.Equal(m, k.MAC("signin code", "attempt", "493027")) {
		t.Error("the same parts give another hash")
	}
	if len(m) != 37 || !k.Matches(m, "signin code", "attempt", "493027") {
		t.Errorf("%d bytes do not match their own parts", len(m))
	}
	type call struct {
		purpose string
		parts   []string
	}
	for name, c := range map[string]call{
		"another purpose":        {"help code", []string{"attempt", "493027"}},
		"another part":           {"signin code", []string{"attempt", "493028"}},
		"a border moved":         {"signin code", []string{"attempt4", "93027"}},
		"a part more":            {"signin code", []string{"attempt", "493027", ""}},
		"a part less":            {"signin code", []string{"attempt"}},
		"one part of both":       {"signin code", []string{"attempt493027"}},
		"purpose and part mixed": {"signin codeattempt", []string{"493027"}},
		"nothing":                {"", nil},
	} {
		if k.Matches(m, c.purpose, c.parts...) || bytes.Equal(m, k.MAC(c.purpose, c.parts...)) {
			t.Errorf("%s matches", name)
		}
	}
	for _, wrong := range [][]byte{nil, {}, m[:36], append(bytes.Clone(m), 0), m[5:], make([]byte, 37)} {
		if k.Matches(wrong, "signin code", "attempt", "493027") {
			t.Errorf("%d wrong bytes match", len(wrong))
		}
	}
	if memory(t).Matches(m, "signin code", "attempt", "493027") {
		t.Error("other keys match")
	}
}

func TestCheckpointsAreSignedForEverybodyToCheck(t *testing.T) {
	t.Parallel()
	k := memory(t)
	signed, err := note.Sign(&note.Note{Text: "keyturn\n12\nhash\n"}, k.CheckpointSigner())
	if err != nil {
		t.Fatal(err)
	}
	outside, err := note.NewVerifier(k.VerifierText())
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []note.Verifier{k.CheckpointVerifier(), outside} {
		if _, err := note.Open(signed, note.VerifierList(v)); err != nil {
			t.Errorf("a checkpoint does not verify: %v", err)
		}
	}
	if _, err := note.Open(signed, note.VerifierList(memory(t).CheckpointVerifier())); err == nil {
		t.Error("another installation's key verifies it")
	}
	if strings.Contains(k.VerifierText(), "PRIVATE") {
		t.Error("the verifier is the private key")
	}
}

func TestAProofOpensWithItsOwnKeysOnly(t *testing.T) {
	t.Parallel()
	k := memory(t)
	proof, err := k.Proof()
	if err != nil {
		t.Fatal(err)
	}
	if !k.ProofOpens(proof) {
		t.Error("its own keys do not open it")
	}
	if memory(t).ProofOpens(proof) {
		t.Error("other keys open it")
	}
	for name, wrong := range map[string]string{
		"empty": "", "cut": proof[:len(proof)-1], "longer": proof + "A", "no base64": "!" + proof[1:],
		"a value sealed elsewhere": string(sealed(t, k, home, "x")),
	} {
		if k.ProofOpens(wrong) {
			t.Errorf("%s: it opens", name)
		}
	}
}

func TestAProofKnowsEachPartOfTheFile(t *testing.T) {
	t.Parallel()
	path, other := created(t), created(t)
	k := opened(t, path)
	proof, err := k.Proof()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"seal", "mac", "note"} {
		mixed := contents(t, path)
		mixed[part] = contents(t, other)[part]
		m := opened(t, stored(t, mixed))
		if m.ProofOpens(proof) {
			t.Errorf("it opens with another file's %s", part)
		}
		if m.Print() == k.Print() {
			t.Errorf("the print is the same with another file's %s", part)
		}
	}
}

// rotated gives a keys file a new primary key of each kind, beside the old ones.
func rotated(t *testing.T, path string) string {
	t.Helper()
	c := contents(t, path)
	for part, template := range map[string]func(*keyset.Manager) (uint32, error){
		"seal": func(m *keyset.Manager) (uint32, error) { return m.Add(aead.AES256GCMKeyTemplate()) },
		"mac":  func(m *keyset.Manager) (uint32, error) { return m.Add(mac.HMACSHA256Tag256KeyTemplate()) },
	} {
		m := keyset.NewManagerFromHandle(handle(t, c[part]))
		number, err := template(m)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.SetPrimary(number); err != nil {
			t.Fatal(err)
		}
		h, err := m.Handle()
		if err != nil {
			t.Fatal(err)
		}
		c[part] = written(t, h)
	}
	return stored(t, c)
}

func handle(t *testing.T, raw json.RawMessage) *keyset.Handle {
	t.Helper()
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func written(tb testing.TB, h *keyset.Handle) json.RawMessage {
	tb.Helper()
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&b)); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func TestAFileWithANewPrimaryKeyStillReadsWhatTheOldOneWrote(t *testing.T) {
	t.Parallel()
	path := created(t)
	old := opened(t, path)
	now := opened(t, rotated(t, path))
	s, m := sealed(t, old, home, "493027"), old.MAC("p", "493027")
	if got, err := now.Open(home, s); err != nil || string(got) != "493027" {
		t.Errorf("an old value does not open: %v", err)
	}
	if !now.Matches(m, "p", "493027") {
		t.Error("an old hash does not match")
	}
	if _, err := old.Open(home, sealed(t, now, home, "x")); err == nil {
		t.Error("the new primary key does not seal")
	}
	if old.Matches(now.MAC("p", "493027"), "p", "493027") {
		t.Error("the new primary key does not hash")
	}
	proof, err := old.Proof()
	if err != nil {
		t.Fatal(err)
	}
	if !now.ProofOpens(proof) {
		t.Error("the proof of before does not open")
	}
	if now.Print() == old.Print() {
		t.Error("the print did not change")
	}
	if now.VerifierText() != old.VerifierText() {
		t.Error("checkpoints have another key")
	}
}

// Tink's own primitives read what is written here, so that a keys file and a database
// stay readable with nothing but Tink.
func TestTinkReadsWhatWeSealAndHash(t *testing.T) {
	t.Parallel()
	path := rotated(t, created(t))
	k := opened(t, path)
	c := contents(t, path)
	opener, err := aead.New(handle(t, c["seal"]))
	if err != nil {
		t.Fatal(err)
	}
	text := func(parts ...string) (b []byte) {
		for _, p := range parts {
			b = append(append(b, 0, 0, 0, 0, 0, 0, 0, byte(len(p))), p...)
		}
		return b
	}
	bound := text("keyturn place 1", home.Owner, home.Table, home.Row, home.Column)
	got, err := opener.Decrypt(sealed(t, k, home, "493027"), bound)
	if err != nil || string(got) != "493027" {
		t.Errorf("Tink does not open it: %v", err)
	}
	checker, err := mac.New(handle(t, c["mac"]))
	if err != nil {
		t.Fatal(err)
	}
	if err := checker.VerifyMAC(k.MAC("p", "a", "b"), text("p", "a", "b")); err != nil {
		t.Errorf("Tink does not match it: %v", err)
	}
}

func TestThePrintNamesTheKeysAndNotTheirSpelling(t *testing.T) {
	t.Parallel()
	path := created(t)
	k := opened(t, path)
	if len(k.Print()) != 32 || strings.Trim(k.Print(), "0123456789abcdef") != "" {
		t.Errorf("the print is %q", k.Print())
	}
	if again := opened(t, stored(t, contents(t, path))); again.Print() != k.Print() {
		t.Error("the same keys in other spaces have another print")
	}
	if memory(t).Print() == k.Print() {
		t.Error("other keys have the same print")
	}
}

func created(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), rand.Text()+".keys")
	if err := secret.Create(path); err != nil {
		tb.Fatal(err)
	}
	return path
}

func opened(tb testing.TB, path string) *secret.Keys {
	tb.Helper()
	k, err := secret.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

func contents(tb testing.TB, path string) map[string]json.RawMessage {
	tb.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var c map[string]json.RawMessage
	if err := json.Unmarshal(raw, &c); err != nil {
		tb.Fatal(err)
	}
	return c
}

func stored(tb testing.TB, c map[string]json.RawMessage) string {
	tb.Helper()
	raw, err := json.Marshal(c)
	if err != nil {
		tb.Fatal(err)
	}
	return file(tb, string(raw))
}

func file(tb testing.TB, text string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "keyturn.keys")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}
