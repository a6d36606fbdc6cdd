package secret_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"golang.org/x/mod/sumdb/note"

	"keyturn/internal/fault"
	"keyturn/internal/secret"
)

func TestACreatedFileIsItsOwnersAloneAndOpens(t *testing.T) {
	t.Parallel()
	path := created(t)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the rights are %v, %v", info.Mode(), err)
	}
	a, b := opened(t, path), opened(t, path)
	if got, err := b.Open(home, sealed(t, a, home, "x")); err != nil || string(got) != "x" {
		t.Errorf("a second start does not open what the first sealed: %v", err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestCreateNeverOverwrites(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target := filepath.Join(dir, "target")
	link := filepath.Join(dir, "link")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"keys": created(t), "an empty file": file(t, ""), "a folder": dir, "a link to nowhere": link,
	} {
		before, _ := os.ReadFile(path)
		err := secret.Create(path)
		if !errors.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "never overwritten") {
			t.Errorf("%s: %v", name, err)
		}
		if after, _ := os.ReadFile(path); string(before) != string(after) {
			t.Errorf("%s: it was changed", name)
		}
	}
	if _, err := os.Stat(target); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a link was followed")
	}
	if err := secret.Create(filepath.Join(dir, "none", "keys")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is not there: %v", err)
	}
}

func TestAMissingFileIsNotMade(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keyturn.keys")
	_, err := secret.Open(path)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "keyturn init") || !strings.Contains(err.Error(), path) {
		t.Errorf("the error is %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a file was made")
	}
}

func TestAFileThatOthersCanReachIsRefused(t *testing.T) {
	t.Parallel()
	for _, rights := range []fs.FileMode{0o640, 0o604, 0o644, 0o660, 0o666, 0o610, 0o601, 0o620, 0o602, 0o777} {
		path := created(t)
		if err := os.Chmod(path, rights); err != nil {
			t.Fatal(err)
		}
		_, err := secret.Open(path)
		if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "chmod 600 "+path) {
			t.Errorf("%04o: %v", rights, err)
		}
	}
	for _, rights := range []fs.FileMode{0o600, 0o400, 0o700} {
		path := created(t)
		if err := os.Chmod(path, rights); err != nil {
			t.Fatal(err)
		}
		if _, err := secret.Open(path); err != nil {
			t.Errorf("%04o: %v", rights, err)
		}
	}
}

func TestWhatIsNoFileIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{
		dir:                               "not a file",
		pipe:                              "not a file",
		filepath.Join(created(t), "keys"): "cannot be read",
		filepath.Join(dir, "a\x00b"):      "cannot be read",
	} {
		if _, err := secret.Open(path); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if os.Geteuid() == 0 {
		return // root reads everything
	}
	path := created(t)
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := secret.Open(path); !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("unreadable: %v", err)
	}
}

// parts are the fields of a good file, to be spoiled.
type parts struct{ seal, mac, note string }

func goodParts(tb testing.TB) parts {
	tb.Helper()
	c := contents(tb, created(tb))
	return parts{string(c["seal"]), string(c["mac"]), string(c["note"])}
}

func (p parts) file(version string) string {
	return fmt.Sprintf(`{"version":%s,"seal":%s,"mac":%s,"note":%s}`, version, p.seal, p.mac, p.note)
}

func (p parts) with(change func(*parts)) string {
	change(&p)
	return p.file("1")
}

// set is a fresh keyset as JSON.
func set(tb testing.TB, template *tinkpb.KeyTemplate) string {
	tb.Helper()
	h, err := keyset.NewHandle(template)
	if err != nil {
		tb.Fatal(err)
	}
	return string(written(tb, h))
}

// edited changes the only key of a keyset in JSON.
func edited(tb testing.TB, raw string, change func(set, key map[string]any)) string {
	tb.Helper()
	var s map[string]any
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		tb.Fatal(err)
	}
	keys, ok := s["key"].([]any)
	if !ok {
		tb.Fatal("no keys")
	}
	key, ok := keys[0].(map[string]any)
	if !ok {
		tb.Fatal("no key")
	}
	change(s, key)
	out, err := json.Marshal(s)
	if err != nil {
		tb.Fatal(err)
	}
	return string(out)
}

// material replaces the bytes of a key, which stand behind a tag and their length.
func material(tb testing.TB, raw string, change func([]byte) []byte) string {
	tb.Helper()
	return edited(tb, raw, func(_, key map[string]any) {
		data, ok := key["keyData"].(map[string]any)
		if !ok {
			tb.Fatal("no data")
		}
		text, ok := data["value"].(string)
		if !ok {
			tb.Fatal("no value")
		}
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			tb.Fatal(err)
		}
		head := b[:len(b)-32]
		fresh := change(b[len(b)-32:])
		head[len(head)-1] = byte(len(fresh))
		data["value"] = base64.StdEncoding.EncodeToString(append(head, fresh...))
	})
}

func TestAMalformedFileIsRefusedWithASentence(t *testing.T) {
	t.Parallel()
	p, q := goodParts(t), goodParts(t)
	good := p.file("1")
	stranger, _, err := note.GenerateKey(rand.Reader, "other")
	if err != nil {
		t.Fatal(err)
	}
	short := func(b []byte) []byte { return b[:16] }
	zeros := func([]byte) []byte { return make([]byte, 32) }
	const (
		noJSON    = "not one JSON object"
		noVersion = `"version" is missing`
		noSeal    = `"seal" is missing or not a Tink keyset`
		noMAC     = `"mac" is missing or not a Tink keyset`
		badNote   = `"note" is not a signing key`
	)
	rows := map[string]struct{ text, says string }{
		"nothing":                    {"", "is empty"},
		"white space":                {" \n\t", "is empty"},
		"zeros":                      {string(make([]byte, 500)), noJSON},
		"words":                      {"these are my keys", noJSON},
		"a list":                     {"[" + good + "]", noJSON},
		"a number":                   {"1", noJSON},
		"null":                       {"null", noJSON},
		"cut short":                  {good[:len(good)-1], noJSON},
		"cut in the middle":          {good[:len(good)/2], noJSON},
		"something behind it":        {good + "x", noJSON},
		"two objects":                {good + good, noJSON},
		"a byte order mark":          {"\ufeff" + good, noJSON},
		"too large":                  {good + strings.Repeat(" ", 70_000), "larger than any keys file"},
		"no fields":                  {"{}", noVersion},
		"no version":                 {strings.Replace(good, `"version":1,`, "", 1), noVersion},
		"version in words":           {p.file(`"1"`), noVersion},
		"version null":               {p.file("null"), noVersion},
		"half a version":             {p.file("1.5"), noVersion},
		"version 0":                  {p.file("0"), "version is not 1"},
		"version 2":                  {p.file("2"), "version is not 1"},
		"version -1":                 {p.file("-1"), "version is not 1"},
		"a field twice":              {strings.Replace(good, `{"version":1`, `{"version":1,"version":1`, 1), "twice"},
		"a field more":               {strings.Replace(good, `{"version":1`, `{"version":1,"kms":"x"`, 1), "a field beside"},
		"a field in capitals":        {strings.Replace(good, `"note"`, `"Note"`, 1), badNote},
		"no seal":                    {strings.Replace(good, `"seal":`, `"sael":`, 1), noSeal},
		"seal null":                  {p.with(func(p *parts) { p.seal = "null" }), noSeal},
		"seal a text":                {p.with(func(p *parts) { p.seal = `"x"` }), noSeal},
		"seal without keys":          {p.with(func(p *parts) { p.seal = `{"primaryKeyId":1,"key":[]}` }), noSeal},
		"seal with an unknown field": {p.with(func(p *parts) { p.seal = `{"primaryKeyID":1}` }), noSeal},
		"seal of 128 bits":           {p.with(func(p *parts) { p.seal = set(t, aead.AES128GCMKeyTemplate()) }), "not 32 bytes"},
		"seal cut to 16 bytes":       {p.with(func(p *parts) { p.seal = material(t, p.seal, short) }), "not 32 bytes"},
		"seal cut to 31 bytes":       {p.with(func(p *parts) { p.seal = material(t, p.seal, func(b []byte) []byte { return b[:31] }) }), noSeal},
		"seal of zeros":              {p.with(func(p *parts) { p.seal = material(t, p.seal, zeros) }), "placeholder"},
		"seal of another cipher":     {p.with(func(p *parts) { p.seal = set(t, aead.ChaCha20Poly1305KeyTemplate()) }), "not AES-256-GCM"},
		"seal with no prefix":        {p.with(func(p *parts) { p.seal = set(t, aead.AES256GCMNoPrefixKeyTemplate()) }), "not AES-256-GCM"},
		"seal and mac swapped":       {p.with(func(p *parts) { p.seal, p.mac = p.mac, p.seal }), "not AES-256-GCM"},
		"seal whose key is disabled": {p.with(func(p *parts) { p.seal = edited(t, p.seal, func(_, key map[string]any) { key["status"] = "DISABLED" }) }), noSeal},
		"seal with no primary key":   {p.with(func(p *parts) { p.seal = edited(t, p.seal, func(set, _ map[string]any) { set["primaryKeyId"] = 7 }) }), noSeal},
		"seal with one key twice": {p.with(func(p *parts) {
			p.seal = edited(t, p.seal, func(set, key map[string]any) { set["key"] = []any{key, key} })
		}), noSeal},
		"seal with 40 keys":        {p.with(func(p *parts) { p.seal = many(t, p.seal) }), "more than 32"},
		"no mac":                   {strings.Replace(good, `"mac":`, `"cam":`, 1), noMAC},
		"mac empty":                {p.with(func(p *parts) { p.mac = `{}` }), noMAC},
		"mac of 16 bytes":          {p.with(func(p *parts) { p.mac = material(t, p.mac, short) }), "not 32 bytes"},
		"mac of zeros":             {p.with(func(p *parts) { p.mac = material(t, p.mac, zeros) }), "placeholder"},
		"mac with half the output": {p.with(func(p *parts) { p.mac = set(t, mac.HMACSHA256Tag128KeyTemplate()) }), "not HMAC-SHA-256"},
		"mac of SHA-512":           {p.with(func(p *parts) { p.mac = set(t, mac.HMACSHA512Tag256KeyTemplate()) }), "not HMAC-SHA-256"},
		"mac of another kind":      {p.with(func(p *parts) { p.mac = set(t, mac.AESCMACTag128KeyTemplate()) }), "not HMAC-SHA-256"},
		"no note":                  {strings.Replace(good, `"note":`, `"tone":`, 1), badNote},
		"note empty":               {p.with(func(p *parts) { p.note = `""` }), badNote},
		"note null":                {p.with(func(p *parts) { p.note = `null` }), badNote},
		"note a number":            {p.with(func(p *parts) { p.note = `7` }), badNote},
		"note cut short":           {p.with(func(p *parts) { p.note = p.note[:60] + `"` }), badNote},
		"note of another name":     {p.with(func(p *parts) { p.note = `"` + stranger + `"` }), badNote},
		"note public, not private": {p.with(func(p *parts) { p.note = strings.Replace(p.note, "PRIVATE+KEY+", "", 1) }), badNote},
		"note with another's hash": {p.with(func(p *parts) { p.note = p.note[:40] + q.note[40:] }), badNote},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := file(t, row.text)
			_, err := secret.Open(path)
			if err == nil {
				t.Fatal("it opens")
			}
			if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("the error is %q, and should say %q", err, row.says)
			}
			if leak := leaked(err.Error(), row.text); leak != "" {
				t.Errorf("the error repeats %q of the file", leak)
			}
		})
	}
	if _, err := secret.Open(file(t, good)); err != nil {
		t.Errorf("the good one does not open: %v", err)
	}
}

// many is a keyset of 40 keys.
func many(tb testing.TB, raw string) string {
	tb.Helper()
	return edited(tb, raw, func(s, key map[string]any) {
		keys := []any{key}
		for i := range 39 {
			more := maps.Clone(key)
			more["keyId"] = i + 1
			keys = append(keys, more)
		}
		s["key"] = keys
	})
}

// leaked finds 16 bytes of a file's key material in a sentence.
func leaked(said, text string) string {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(`"{}[],: `, r) }) {
		for i := 0; len(word) >= 40 && i+16 <= len(word); i++ {
			if part := word[i : i+16]; strings.Contains(said, part) && !strings.HasPrefix("PRIVATE+KEY+keyturn-audit+", part) &&
				!strings.Contains("PRIVATE+KEY+keyturn-audit+", part) {
				return part
			}
		}
	}
	return ""
}

func FuzzAKeysFileOpensWhollyOrNotAtAll(f *testing.F) {
	p := goodParts(f)
	f.Add(p.file("1"))
	f.Add(p.file("2"))
	f.Add(p.with(func(p *parts) { p.mac = p.seal }))
	f.Add(p.with(func(p *parts) { p.note = `"PRIVATE+KEY+keyturn-audit+00000000+AQ=="` }))
	f.Add("{}")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		k, err := secret.Open(file(t, text))
		if err != nil {
			if k != nil || !errors.Is(err, fault.Invalid) {
				t.Fatalf("keys with an error, or another kind of error: %v", err)
			}
			return
		}
		got, err := k.Open(home, sealed(t, k, home, "x"))
		if err != nil || string(got) != "x" || !k.Matches(k.MAC("p", "x"), "p", "x") || len(k.Print()) != 32 {
			t.Fatalf("keys that do not work: %v", err)
		}
		if _, err := note.NewVerifier(k.VerifierText()); err != nil {
			t.Fatal(err)
		}
	})
}
