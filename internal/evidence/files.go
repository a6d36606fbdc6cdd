package evidence

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"keyturn/internal/audit"
	"keyturn/internal/fault"
)

// spool keeps the sites of a pack, a line of JSON each, until the totals are known that
// come before them.
type spool struct {
	file io.ReadWriteSeeker
	out  *bufio.Writer
}

func (s *spool) put(one Site) error {
	if s.out == nil {
		s.out = bufio.NewWriter(s.file)
	}
	if err := json.NewEncoder(s.out).Encode(one); err != nil {
		return fmt.Errorf("keep a site: %w", err)
	}
	return nil
}

// lines goes through what was put, from the beginning. The bytes are good until the next.
func (s *spool) lines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if s.out != nil {
			if err := s.out.Flush(); err != nil {
				yield(nil, fmt.Errorf("keep the sites: %w", err))
				return
			}
		}
		if _, err := s.file.Seek(0, io.SeekStart); err != nil {
			yield(nil, fmt.Errorf("read the sites again: %w", err))
			return
		}
		in := bufio.NewReader(s.file)
		for {
			line, err := in.ReadBytes('\n')
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				err = fmt.Errorf("read the sites again: %w", err)
			}
			if !yield(bytes.TrimSuffix(line, []byte("\n")), err) || err != nil {
				return
			}
		}
	}
}

// sites is lines, read.
func (s *spool) sites() iter.Seq2[Site, error] {
	return func(yield func(Site, error) bool) {
		for line, err := range s.lines() {
			var one Site
			if err == nil {
				err = json.Unmarshal(line, &one)
			}
			if !yield(one, err) {
				return
			}
		}
	}
}

// write writes the files of a pack.
func (d *Desk) write(p Pack, sites *spool, out Out) error {
	pack, page := &sum{to: out.Pack, hash: sha256.New()}, &sum{to: out.Page, hash: sha256.New()}
	if err := writeJSON(pack, p, sites.lines()); err != nil {
		return fmt.Errorf("write the pack: %w", err)
	}
	buffered := bufio.NewWriter(page)
	if err := errors.Join(d.Page(buffered, p, sites.sites()), buffered.Flush()); err != nil {
		return fmt.Errorf("write the page to print: %w", err)
	}
	signed, err := sign(p, d.Keys.CheckpointSigner(), pack.line(out.Name), page.line(out.Name+".html"))
	if err != nil {
		return err
	}
	if _, err := out.Signature.Write(signed); err != nil {
		return fmt.Errorf("write the signature: %w", err)
	}
	return nil
}

// writeJSON writes the pack with its sites at the end, one a line.
func writeJSON(w io.Writer, p Pack, lines iter.Seq2[[]byte, error]) error {
	head, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	_, _ = out.Write(bytes.TrimSuffix(head, []byte("\n}")))
	_, _ = out.WriteString(",\n \"sites\": [")
	between := "\n"
	for line, err := range lines {
		if err != nil {
			return err
		}
		_, _ = out.WriteString(between)
		_, _ = out.Write(line)
		between = ",\n"
	}
	_, _ = out.WriteString("\n ]\n}\n")
	return out.Flush()
}

// sum counts and hashes what is written.
type sum struct {
	to   io.Writer
	hash hash.Hash
	size int64
}

// Write implements io.Writer.
func (s *sum) Write(b []byte) (int, error) {
	n, err := s.to.Write(b)
	_, _ = s.hash.Write(b[:n]) // a hash takes everything
	s.size += int64(n)
	return n, err
}

func (s *sum) line(name string) string {
	return fmt.Sprintf("sha256 %s %d %s\n", hex.EncodeToString(s.hash.Sum(nil)), s.size, name)
}

// sign makes the signature: a signed note with a title of its own, so that it is never
// taken for a checkpoint of the trail, which the same key signs.
func sign(p Pack, by note.Signer, files ...string) ([]byte, error) {
	text := fmt.Sprintf("%s\norigin %s\nat %s\nfrom %s\nuntil %s\n%s", Form, by.Name(),
		stamp(p.At), stamp(p.From), stamp(p.Until), strings.Join(files, ""))
	signed, err := note.Sign(&note.Note{Text: text}, by)
	if err != nil {
		return nil, fmt.Errorf("sign the pack: %w", err)
	}
	return signed, nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// Signed is what a signature says of a file.
type Signed struct {
	Origin          string
	At, From, Until time.Time
	// Name is what the file was called when it was signed.
	Name string
}

// ErrChanged says that a file is not one of those that were signed.
var ErrChanged = fmt.Errorf("the file is not as it was signed: something in it was changed, added or left out: %w", fault.Invalid)

// Verify says what the signature says of a file of a pack: the pack itself, or its page. It
// needs nothing but the key. fault.Invalid says that the key did not sign it, ErrChanged
// that it signed another file.
func Verify(file io.Reader, signature []byte, key note.Verifier) (Signed, error) {
	text, err := audit.OpenNote(signature, key)
	if err != nil {
		return Signed{}, fmt.Errorf("the pack is not signed by the key %s: %w: %w", key.Name(), fault.Invalid, err)
	}
	s, files, err := read(text)
	if err != nil {
		return s, err
	}
	h := sha256.New()
	size, err := io.Copy(h, file)
	if err != nil {
		return s, fmt.Errorf("read the file: %w", err)
	}
	want := hex.EncodeToString(h.Sum(nil)) + " " + strconv.FormatInt(size, 10)
	name, ok := files[want]
	if !ok {
		return s, ErrChanged
	}
	s.Name = name
	return s, nil
}

// read takes a signature's text apart: what it says, and the name of each file by its hash
// and size.
func read(text string) (s Signed, files map[string]string, err error) {
	bad := fmt.Errorf("the signed text is not of an evidence pack: %w", fault.Invalid)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	const head = 5
	if len(lines) < head || lines[0] != Form {
		return s, nil, bad
	}
	s.Origin = strings.TrimPrefix(lines[1], "origin ")
	for i, at := range map[int]*time.Time{2: &s.At, 3: &s.From, 4: &s.Until} {
		_, word, _ := strings.Cut(lines[i], " ")
		if *at, err = time.Parse(time.RFC3339Nano, word); err != nil {
			return s, nil, bad
		}
	}
	files = map[string]string{}
	for _, line := range lines[head:] {
		words := strings.SplitN(line, " ", 4)
		if len(words) != 4 || words[0] != "sha256" {
			return s, nil, bad
		}
		files[words[1]+" "+words[2]] = words[3]
	}
	return s, files, nil
}
