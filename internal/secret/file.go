package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"keyturn/internal/fault"
)

const (
	// fileVersion is the form of the file that is written, and the only one read.
	fileVersion = 1
	// mostBytes bounds a keys file: one with all the keys it may hold is under it.
	mostBytes = 64 << 10
)

// What is wrong with a file. None of the sentences repeats a byte of it.
var (
	errMissing   = errors.New("there is no such file; for a new installation `keyturn init` makes one, and for a database that is in use its own file must be brought back")
	errUnread    = errors.New("it cannot be read by the user that this program runs as")
	errNoFile    = errors.New("it is not a file")
	errEmpty     = errors.New("it is empty; bring back a copy")
	errLarge     = errors.New("it is larger than any keys file")
	errJSON      = errors.New("it is not one JSON object from beginning to end; it may be cut short")
	errRepeated  = errors.New("a field stands in it twice")
	errField     = errors.New("it has a field beside version, seal, mac and note")
	errNoVersion = errors.New(`"version" is missing or not a whole number`)
	errVersion   = errors.New("its version is not 1, the only one that this release knows; another release made it")
	errNoSeal    = errors.New(`"seal" is missing or not a Tink keyset`)
	errNoMAC     = errors.New(`"mac" is missing or not a Tink keyset`)
)

// Open reads a keys file. It never makes one. The error says what is wrong and what to
// do, and wraps fault.Invalid, or fs.ErrNotExist if there is no file.
func Open(path string) (*Keys, error) {
	raw, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("keys file %s: %w", path, err)
	}
	m, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("keys file %s: %w: %w", path, err, fault.Invalid)
	}
	k, err := m.keys()
	if err != nil {
		return nil, fmt.Errorf("keys file %s: %w: %w", path, err, fault.Invalid)
	}
	return k, nil
}

// Memory makes fresh keys that live as long as the process: for the demo and tests.
func Memory() (*Keys, error) {
	m, err := fresh()
	if err != nil {
		return nil, err
	}
	return m.keys()
}

// Create writes a file of fresh keys with the rights 0600. Its folder must be there. A
// file that is there is left alone, and the error wraps fault.Conflict. When Create
// returns, the file survives a power cut.
func Create(path string) error {
	m, err := fresh()
	if err != nil {
		return err
	}
	raw, err := m.encode()
	if err != nil {
		return fmt.Errorf("write the keys file: %w", err)
	}
	f, err := os.OpenFile(filepath.Clean(path), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("keys file %s: it is there already, and keys are never overwritten, because what they sealed would stay closed: %w", path, fault.Conflict)
	}
	if err != nil {
		return fmt.Errorf("write the keys file: %w", err)
	}
	if err := fill(f, raw); err != nil {
		// It is ours, made a moment ago, and has sealed nothing.
		_ = os.Remove(filepath.Clean(path))
		return fmt.Errorf("write the keys file: %w", err)
	}
	if err := syncFolder(filepath.Dir(path)); err != nil {
		return fmt.Errorf("write the keys file: %w", err)
	}
	return nil
}

func fill(f *os.File, raw []byte) error {
	_, err := f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func syncFolder(path string) error {
	d, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// read gives the bytes of a file that only its owner may read.
func read(path string) ([]byte, error) {
	clean := filepath.Clean(path)
	// Looked at before it is opened: a pipe would be waited for.
	if info, err := os.Stat(clean); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %w", errNoFile, fault.Invalid)
	}
	f, err := os.Open(clean)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: %w", errMissing, fs.ErrNotExist)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errUnread, fault.Invalid)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnread, fault.Invalid)
	}
	if rights := info.Mode().Perm(); rights&0o077 != 0 {
		return nil, fmt.Errorf("others than its owner have rights to it (%04o); run: chmod 600 %s: %w", rights, path, fault.Invalid)
	}
	raw, err := io.ReadAll(io.LimitReader(f, mostBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errUnread, fault.Invalid)
	case len(raw) > mostBytes:
		return nil, fmt.Errorf("%w: %w", errLarge, fault.Invalid)
	}
	return raw, nil
}

// parse reads the contents of a keys file. What the parsers below it say is dropped:
// they repeat what they met.
func parse(raw []byte) (material, error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return material{}, errEmpty
	}
	field, err := fields(raw)
	if err != nil {
		return material{}, err
	}
	var version int
	if json.Unmarshal(field["version"], &version) != nil || string(field["version"]) == "null" {
		return material{}, errNoVersion
	}
	if version != fileVersion {
		return material{}, errVersion
	}
	var m material
	if m.seal, err = insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(field["seal"]))); err != nil {
		return material{}, errNoSeal
	}
	if m.mac, err = insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(field["mac"]))); err != nil {
		return material{}, errNoMAC
	}
	if json.Unmarshal(field["note"], &m.note) != nil {
		return material{}, errNote
	}
	for name := range field {
		switch name {
		case "version", "seal", "mac", "note":
		default:
			return material{}, errField
		}
	}
	return m, nil
}

// fields splits one JSON object. encoding/json alone would take a repeated field's last
// value, a name in other letters, and whatever follows.
func fields(raw []byte) (map[string]json.RawMessage, error) {
	in := json.NewDecoder(bytes.NewReader(raw))
	if start, err := in.Token(); err != nil || start != json.Delim('{') {
		return nil, errJSON
	}
	found := map[string]json.RawMessage{}
	for in.More() {
		token, err := in.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, errJSON
		}
		if _, there := found[name]; there {
			return nil, errRepeated
		}
		var value json.RawMessage
		if in.Decode(&value) != nil {
			return nil, errJSON
		}
		found[name] = value
	}
	if _, err := in.Token(); err != nil {
		return nil, errJSON
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, errJSON
	}
	return found, nil
}

// encode is the file's contents.
func (m material) encode() ([]byte, error) {
	var seal, mac bytes.Buffer
	if err := insecurecleartextkeyset.Write(m.seal, keyset.NewJSONWriter(&seal)); err != nil {
		return nil, err
	}
	if err := insecurecleartextkeyset.Write(m.mac, keyset.NewJSONWriter(&mac)); err != nil {
		return nil, err
	}
	raw, err := json.MarshalIndent(struct {
		Version int             `json:"version"`
		Seal    json.RawMessage `json:"seal"`
		MAC     json.RawMessage `json:"mac"`
		Note    string          `json:"note"`
	}{fileVersion, seal.Bytes(), mac.Bytes(), m.note}, "", "  ")
	return append(raw, '\n'), err
}
