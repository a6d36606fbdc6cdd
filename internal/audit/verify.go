package audit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

// Finding is something in the trail that is not as it was written.
type Finding struct {
	Chain string
	// Seq is the event's place in its chain, -1 when the chain as a whole is meant.
	Seq int64
	// Event is empty when the event is not there to be named.
	Event id.Event
	// Line is where it stands in a file, from 1; 0 in a database.
	Line int64
	What string
}

// String names the place and says what is wrong, in one line.
func (f Finding) String() string {
	var s strings.Builder
	if f.Line > 0 {
		fmt.Fprintf(&s, "line %d, ", f.Line)
	}
	fmt.Fprintf(&s, "chain %q", f.Chain)
	if f.Seq >= 0 {
		fmt.Fprintf(&s, ", event %d", f.Seq)
	}
	if f.Event != "" {
		fmt.Fprintf(&s, " (%q)", f.Event)
	}
	return s.String() + ": " + f.What
}

// Watch is told how a verification goes on. Each may be nil.
type Watch struct {
	// Found is called for each finding.
	Found func(Finding)
	// Compared is called for each chain that was compared with the checkpoint, with the
	// number of events that the latest head of it has there.
	Compared func(chain string, events int64)
	// Progress is called now and then with the number of events seen so far.
	Progress func(events int64)
}

// Tally is what a verification saw. The trail is as it was written if there are no
// findings.
type Tally struct {
	Chains, Events, Findings int64
	// Compared is how many chains were compared with a checkpoint, Held how many it has.
	Compared, Held int64
}

// pageOf is how many events of a chain are held at a time.
const pageOf = 500

// Verify makes every chain anew from its bodies and reports what does not fit: changed
// bodies and columns, missing, swapped, doubled events, changed personal values,
// changed hashes, an end shorter than the head counts. Erased personal values are fine.
// Events may be recorded meanwhile; those that came after the start of their chain's
// check are not looked at.
//
// A chain that was rewritten as a whole, or cut together with its head, shows only in
// VerifyAgainst.
func Verify(ctx context.Context, from db.Reader, w Watch) (Tally, error) {
	return verify(ctx, from, nil, nil, w)
}

// VerifyAgainst is Verify, and compares with where the chains stood at a checkpoint
// that was kept elsewhere: a cut end, an older copy and a rewritten history are found, and
// so is a checkpoint that has nothing to compare with.
func VerifyAgainst(ctx context.Context, from db.Reader, then Heads, w Watch) (Tally, error) {
	return verify(ctx, from, nil, then.byChain(), w)
}

// VerifySigned is VerifyAgainst, with nothing to compare with where then is nil, and checks
// that the key has signed each base: that the events below it were removed on purpose.
func VerifySigned(ctx context.Context, from db.Reader, key note.Verifier, then *Heads, w Watch) (Tally, error) {
	var against map[string][]Head
	if then != nil {
		against = then.byChain()
	}
	return verify(ctx, from, key, against, w)
}

func verify(ctx context.Context, from db.Reader, key note.Verifier, against map[string][]Head, w Watch) (Tally, error) {
	v := &verifier{from: from, watch: w, key: key, tally: Tally{Held: int64(len(against))}}
	missing := maps.Clone(against)
	for chain := ""; ; {
		next, err := chainAfter(ctx, from, chain)
		if err != nil {
			return v.tally, fmt.Errorf("find the next chain: %w", err)
		}
		if next == "" {
			break
		}
		chain = next
		delete(missing, chain)
		if err := v.chain(ctx, chain, against[chain]); err != nil {
			return v.tally, fmt.Errorf("verify the chain %q: %w", chain, err)
		}
	}
	for _, chain := range slices.Sorted(maps.Keys(missing)) {
		if size := largest(missing[chain]); size > 0 {
			v.found(Finding{Chain: chain, Seq: -1, What: fmt.Sprintf("the chain is gone; the checkpoint has %d events", size)})
		}
	}
	if against != nil && v.tally.Compared == 0 && v.tally.Findings == 0 {
		v.found(Finding{Seq: -1, What: nothingCompared})
	}
	return v.tally, nil
}

type verifier struct {
	from  db.Reader
	watch Watch
	tally Tally
	key   note.Verifier // may be nil
}

func (v *verifier) found(f Finding) {
	v.tally.Findings++
	if v.watch.Found != nil {
		v.watch.Found(f)
	}
}

// compared notes that a chain was compared with the head of a checkpoint.
func (v *verifier) compared(h Head) {
	v.tally.Compared++
	if v.watch.Compared != nil {
		v.watch.Compared(h.Chain, h.Size)
	}
}

func (v *verifier) progress(events int64) {
	v.tally.Events += events
	if v.watch.Progress != nil {
		v.watch.Progress(v.tally.Events)
	}
}

func (v *verifier) chain(ctx context.Context, chain string, against []Head) error {
	v.tally.Chains++
	e, err := extentOf(ctx, v.from, chain)
	if err != nil {
		return err
	}
	if err := v.base(ctx, chain, e); err != nil {
		return err
	}
	end, err := v.ends(ctx, chain, e, against)
	if err != nil {
		return err
	}
	l := &link{against: against, base: max(e.base, 0)}
	for lo := int64(0); lo < end; lo += pageOf {
		hi := min(lo+pageOf, end)
		s, err := spanOf(ctx, v.from, chain, lo, hi)
		if err != nil {
			return err
		}
		if len(s.rows) == 0 && len(s.hashes) == 0 {
			// So large a hole is reported once: what is behind it hangs in the air.
			v.found(Finding{Chain: chain, Seq: lo, What: fmt.Sprintf("events %d to %d are missing, or what is left of them cannot be checked", lo, end-1)})
			return nil
		}
		v.span(chain, l, s, lo, hi)
		v.progress(int64(len(s.rows)))
	}
	return nil
}

// ends compares how far the chain's tables reach, and says where its events end.
func (v *verifier) ends(ctx context.Context, chain string, e extent, against []Head) (int64, error) {
	whole := func(format string, args ...any) {
		v.found(Finding{Chain: chain, Seq: -1, What: fmt.Sprintf(format, args...)})
	}
	size, last := e.size, min(e.last, farthest)
	if size < 0 {
		size = last + 1
		whole("the chain's head is missing")
	}
	if e.first < 0 || e.last >= size {
		extra, err := strays(ctx, v.from, chain, size, e.last)
		if err != nil {
			return 0, err
		}
		for _, r := range extra {
			v.found(Finding{Chain: chain, Seq: r.seq, Event: idIn([]byte(r.body)), What: fmt.Sprintf("the event is not one of the %d that the head counts", size)})
		}
	}
	if e.lastHash >= tlog.StoredHashIndex(0, min(size, farthest)) {
		whole("there are hashes of more events than the %d that the head counts", size)
	}
	if e.lastPrivate >= size {
		whole("there are personal values of more events than the %d that the head counts", size)
	}
	end := min(size, last+1)
	if end < size {
		v.found(Finding{Chain: chain, Seq: end, What: fmt.Sprintf("the end was cut: there are %d events, and the head counts %d", end, size)})
	}
	most := largest(against)
	if len(against) > 0 {
		v.compared(Head{Chain: chain, Size: most})
	}
	if end < most {
		v.found(Finding{Chain: chain, Seq: end, What: fmt.Sprintf("the end was cut, or this is an older copy: there are %d events, and the checkpoint has %d", end, most)})
	}
	return end, nil
}

// base checks that where a chain begins was signed, and follows from the stored hashes.
func (v *verifier) base(ctx context.Context, chain string, e extent) error {
	if e.base == 0 {
		return nil
	}
	var what string
	b, err := baseOf(ctx, v.from, chain)
	switch {
	case err != nil:
		return err
	case b.Size != e.base:
		what = fmt.Sprintf("the head says that events below %d were pruned, and nothing vouches for it", e.base)
	default:
		what = b.wrong(v.key)
	}
	if what == "" {
		edge, err := edgeOf(ctx, v.from, chain, b.Size)
		if err != nil || !slices.Equal(edge, b.Edge) {
			what = "the stored hashes are not those that the base stands for"
		}
	}
	if what != "" {
		v.found(Finding{Chain: chain, Seq: -1, What: what})
	}
	return nil
}

// largest is how many events the largest of some heads has.
func largest(all []Head) (size int64) {
	for _, h := range all {
		size = max(size, h.Size)
	}
	return size
}

func (v *verifier) span(chain string, l *link, s span, lo, hi int64) {
	for seq := lo; seq < hi; seq++ {
		stored := make([]*tlog.Hash, 1+ones(seq))
		for i := range stored {
			if h, ok := s.hashes[tlog.StoredHashIndex(0, seq)+int64(i)]; ok {
				stored[i] = &h
			}
		}
		f := Finding{Chain: chain, Seq: seq}
		var wrong []string
		var leaf *tlog.Hash
		r, there := s.rows[seq]
		switch {
		case there:
			f.Event, wrong = r.check(s.personal[seq])
			leaf = new(tlog.RecordHash([]byte(r.body)))
		case seq < l.base: // removed on purpose: its hash is all there is
			leaf = stored[0]
		default:
			wrong = []string{"the event is missing"}
		}
		if wrong = append(wrong, l.next(leaf, stored)...); len(wrong) > 0 {
			f.What = strings.Join(wrong, "; ")
			v.found(f)
		}
	}
}

// check compares the columns and the personal values of a row with its body.
func (r row) check(values []personal) (of id.Event, wrong []string) {
	b, err := decode(r.body)
	if err != nil {
		return idIn([]byte(r.body)), []string{"the body cannot be read"}
	}
	for _, column := range []struct {
		name string
		same bool
	}{
		{"chain", b.Chain == r.chain},
		{"seq", b.Seq == r.seq},
		{"at", b.At == r.at},
		{"kind", b.Kind == r.kind},
		{"site", b.Site == r.site},
		{"user", b.User == r.user},
		{"actor", b.Actor.ID == r.actor}, // blanked, it would hide the event from the search by person
	} {
		if !column.same {
			wrong = append(wrong, "the column "+column.name+" is not what the body says")
		}
	}
	for _, v := range values {
		if b.Personal[v.field] != v.commitment(v.field) {
			wrong = append(wrong, fmt.Sprintf("the personal value %q is not the one that was written", v.field))
		}
	}
	return b.ID, wrong
}
