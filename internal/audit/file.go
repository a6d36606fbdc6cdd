package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// longestLine bounds one line of a file: the last one has a word for each chain.
const longestLine = 256 << 20

// VerifyFile checks an export offline, as Verify checks a database, and names the line
// of each finding. With a key, the file's end must be signed by it; with heads that
// were kept elsewhere, the file's chains must go on from there. Both may be nil.
//
// Heads of one chain demand that chain. Heads of several demand all of theirs of a file of
// several chains, which is an export of everything, and of a site's file, which holds its
// own alone, at least that one. Where nothing was compared, that is a finding: an empty
// file is not as it was written.
func VerifyFile(r io.Reader, key note.Verifier, then *Heads, w Watch) (Tally, error) {
	f := &file{verifier: verifier{watch: w, key: key}, chains: make(map[string]*fileChain)}
	if then != nil {
		f.held, f.against = true, then.byChain()
		f.tally.Held = int64(len(f.against))
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<16), longestLine)
	var now *fileLine
	for n := int64(1); lines.Scan(); n++ {
		next := f.read(n, lines.Bytes())
		if next == nil {
			continue
		}
		if now != nil {
			f.take(now, next)
		}
		now = next
	}
	if err := lines.Err(); err != nil {
		return f.tally, fmt.Errorf("read the file: %w", err)
	}
	if now != nil {
		f.take(now, nil)
	}
	f.finish()
	return f.tally, nil
}

type file struct {
	verifier

	held    bool // it is compared with heads that were kept elsewhere
	against map[string][]Head
	chains  map[string]*fileChain
	end     *trailer
	endLine int64
}

// fileChain is how far a chain has been read.
type fileChain struct {
	link

	want int64 // the seq that comes next
}

// fileLine is an event's line.
type fileLine struct {
	line

	at   int64
	row  row
	body body
	// odd says that the line is spelled otherwise than an export spells it.
	odd bool
}

// oddly is what is said of such a line.
const oddly = "the line is not spelled as it was written: it was changed"

// read understands one line; nil when there is no event in it.
func (f *file) read(n int64, text []byte) *fileLine {
	l := &fileLine{at: n}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	err := dec.Decode(&l.line)
	if err == nil && dec.More() {
		err = io.ErrUnexpectedEOF
	}
	l.odd = err == nil && !l.spelled(text)
	switch {
	case f.end != nil:
		f.found(Finding{Seq: -1, Line: n, What: "there is a line after the end"})
	case err == nil && l.End != nil:
		f.end, f.endLine = l.End, n
		if l.odd {
			f.found(Finding{Seq: -1, Line: n, What: oddly})
		}
	case err == nil && l.Base != nil:
		f.begin(n, *l.Base)
		if l.odd {
			f.found(Finding{Chain: l.Base.Chain, Seq: -1, Line: n, What: oddly})
		}
	case err == nil:
		if l.body, err = decode(string(l.Body)); err == nil && l.body.Seq >= 0 && l.body.Seq < farthest {
			b := l.body
			l.row = row{seq: b.Seq, at: b.At, chain: b.Chain, kind: b.Kind, site: b.Site, user: b.User, actor: b.Actor.ID, body: string(l.Body)}
			return l
		}
		fallthrough
	default:
		f.found(Finding{Seq: -1, Event: idIn(l.Body), Line: n, What: "the line cannot be read: it was changed"})
	}
	return nil
}

// begin takes the line that stands for the removed beginning of a chain.
func (f *file) begin(n int64, b base) {
	what := b.wrong(f.key)
	switch {
	case f.chains[b.Chain] != nil:
		what = "the chain has begun already: the line was moved or doubled"
	case what == "":
		f.tally.Chains++
		grown, _ := b.grown()
		for _, h := range f.against[b.Chain] {
			if h.Size == b.Size && h.Root != grown.root() {
				what = "the history up to here is not the one of the checkpoint"
			}
		}
		f.chains[b.Chain] = &fileChain{
			link: link{against: f.against[b.Chain], base: b.Size, grown: grown, kept: grown.kept()}, want: b.Size,
		}
	}
	if what != "" {
		f.found(Finding{Chain: b.Chain, Seq: -1, Line: n, What: what})
	}
}

// take puts a line in its place. What comes after it tells a line that is out of place
// from one behind a hole.
func (f *file) take(l, after *fileLine) {
	f.progress(1)
	c := f.chains[l.row.chain]
	if c == nil {
		c = &fileChain{link: link{against: f.against[l.row.chain]}}
		f.chains[l.row.chain] = c
		f.tally.Chains++
	}
	seq, later := l.row.seq, int64(-1)
	if after != nil && after.row.chain == l.row.chain {
		later = after.row.seq
	}
	switch {
	case seq == c.want:
		f.fit(c, l)
	case seq > c.want && (later < 0 || later > seq):
		f.hole(c, l)
		f.fit(c, l)
	default:
		f.report(l, fmt.Sprintf("the event stands where event %d belongs: it was moved or doubled", c.want))
		if later == c.want+1 { // it stands in the other's place
			c.skip()
		}
	}
}

// fit checks the line that stands where it belongs.
func (f *file) fit(c *fileChain, l *fileLine) {
	stored := make([]*tlog.Hash, 1+ones(c.want))
	for i := range min(len(stored), len(l.Hashes)) {
		stored[i] = &l.Hashes[i]
	}
	values := make([]personal, 0, len(l.Personal))
	for _, field := range slices.Sorted(maps.Keys(l.Personal)) {
		values = append(values, personal{field: field, sealed: l.Personal[field]})
	}
	_, wrong := l.row.check(values)
	leaf := tlog.RecordHash(l.Body)
	wrong = append(wrong, c.next(&leaf, stored)...)
	if len(l.Hashes) > len(stored) {
		wrong = append(wrong, "there are more hashes than belong to the event")
	}
	if l.odd && len(wrong) == 0 {
		wrong = append(wrong, oddly)
	}
	c.want++
	if len(wrong) > 0 {
		f.report(l, strings.Join(wrong, "; "))
	}
}

// hole reports the lines that are missing before one.
func (f *file) hole(c *fileChain, l *fileLine) {
	const many = 1 << 16
	f.found(Finding{Chain: l.row.chain, Seq: c.want, Line: l.at, What: fmt.Sprintf("events %d to %d are missing before this line", c.want, l.row.seq-1)})
	if l.row.seq-c.want > many { // nobody counts through a made-up number
		c.want, c.kept, c.broken = l.row.seq, make([]*tlog.Hash, 64), true
	}
	for c.want < l.row.seq {
		c.skip()
	}
}

// skip goes past an event that is not there.
func (c *fileChain) skip() {
	c.next(nil, make([]*tlog.Hash, 1+ones(c.want)))
	c.want++
}

func (f *file) report(l *fileLine, what string) {
	f.found(Finding{Chain: l.row.chain, Seq: l.row.seq, Event: l.body.ID, Line: l.at, What: what})
}

// finish compares what was read with what the last line says, and with the checkpoint.
func (f *file) finish() {
	f.checkpoint()
	if f.end == nil {
		f.found(Finding{Seq: -1, What: "the file's end is missing"})
		return
	}
	said := Heads{Chains: f.end.Heads}.byChain()
	for _, chain := range slices.Sorted(maps.Keys(f.chains)) {
		if said[chain] == nil {
			f.found(Finding{Chain: chain, Seq: -1, Line: f.endLine, What: "the file's end does not know the chain"})
		}
	}
	for _, h := range f.end.Heads {
		c := f.chains[h.Chain]
		if c == nil {
			c = &fileChain{}
		}
		f.compare(c, h, "the file's end")
	}
	f.signed()
}

// checkpoint says which of the checkpoint's chains were compared, and finds those that had
// to be and are not there.
func (f *file) checkpoint() {
	if !f.held {
		return
	}
	var most Head
	short := false
	for _, chain := range slices.Sorted(maps.Keys(f.against)) {
		c, size := f.chains[chain], largest(f.against[chain])
		switch {
		case c == nil && size > 0 && (len(f.against) == 1 || len(f.chains) > 1):
			short = true
			f.found(Finding{Chain: chain, Seq: -1, What: fmt.Sprintf("the chain is not in the file; the checkpoint has %d events", size)})
		case c == nil:
		case c.want < size:
			short = true
			f.compare(c, Head{Chain: chain, Size: size}, "the checkpoint")
		case c.base > size:
			most = Head{Chain: chain, Size: size}
		default:
			f.compared(Head{Chain: chain, Size: size})
		}
	}
	switch {
	case short || f.tally.Compared > 0:
	case most.Chain != "":
		f.found(Finding{Chain: most.Chain, Seq: -1, What: fmt.Sprintf("nothing was compared: the file begins after the %d events of the checkpoint; take a later one, or verify the database", most.Size)})
	default:
		f.found(Finding{Seq: -1, What: nothingCompared})
	}
}

// nothingCompared is what is said where a checkpoint was given and said nothing.
const nothingCompared = "nothing was compared: there are no events of the checkpoint's chains"

func (f *file) compare(c *fileChain, h Head, who string) {
	switch {
	case c.want < h.Size:
		f.found(Finding{Chain: h.Chain, Seq: c.want, Line: f.endLine, What: fmt.Sprintf("the end was cut: there are %d events, and %s has %d", c.want, who, h.Size)})
	case c.want > h.Size:
		f.found(Finding{Chain: h.Chain, Seq: h.Size, Line: f.endLine, What: fmt.Sprintf("there are %d events, and %s has %d", c.want, who, h.Size)})
	case !c.broken && c.grown.root() != h.Root:
		f.found(Finding{Chain: h.Chain, Seq: -1, Line: f.endLine, What: "the events are not those that " + who + " stands for"})
	}
}

// signed checks that the key has signed what the file's end says.
func (f *file) signed() {
	if f.key == nil {
		return
	}
	h, err := OpenCheckpoint([]byte(f.end.Checkpoint), f.key)
	switch {
	case err != nil:
		f.found(Finding{Seq: -1, Line: f.endLine, What: "the file's end is not signed by the key " + f.key.Name()})
	case !slices.Equal(h.Chains, f.end.Heads):
		f.found(Finding{Seq: -1, Line: f.endLine, What: "the file's end is not what was signed"})
	}
}
