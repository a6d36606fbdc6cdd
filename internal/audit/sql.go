package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"keyturn/internal/db"
	"keyturn/internal/id"
)

// personal is a row of audit_personal.
type personal struct {
	seq   int64
	field string
	whose id.User
	sealed
}

// row is a row of audit_events.
type row struct {
	seq, at int64
	chain   string
	kind    Kind
	site    id.Site
	user    id.User
	actor   string
	body    string
}

func number(r db.Row) (n int64, err error) { return n, r.Scan(&n) }

// put takes the chain's head and appends. Nobody else gets past the first statement
// for this chain until the transaction ends.
func (p pending) put(ctx context.Context, tx *db.Tx) error {
	b := p.body
	size, err := db.One(ctx, tx, number, `
		INSERT INTO audit_heads (chain, size)
		VALUES ($1, 1)
		ON CONFLICT (chain) DO UPDATE SET size = audit_heads.size + 1
		RETURNING size`, b.Chain)
	if err != nil {
		return fmt.Errorf("take the head: %w", err)
	}
	b.Seq = size - 1
	text := b.encode()
	hashes, err := tlog.StoredHashes(b.Seq, []byte(text), hashReader(ctx, tx, b.Chain))
	if err != nil {
		return fmt.Errorf("read the tree: %w", err)
	}
	if err := tx.Change(ctx, `
		INSERT INTO audit_events (chain, seq, at, kind, site_id, user_id, actor_id, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		b.Chain, b.Seq, b.At, string(b.Kind), orNull(string(b.Site)), orNull(string(b.User)), b.Actor.ID, text); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	args := []any{b.Chain}
	for i := range hashes {
		args = append(args, tlog.StoredHashIndex(0, b.Seq)+int64(i), hashes[i][:])
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO audit_hashes (chain, pos, hash)
		VALUES `+groups(len(hashes), 1, 2), args...); err != nil {
		return fmt.Errorf("append to the tree: %w", err)
	}
	if b.Kind.told() {
		if err := insertNews(ctx, tx, b); err != nil {
			return fmt.Errorf("leave news: %w", err)
		}
	}
	if len(p.personal) == 0 {
		return nil
	}
	args = []any{b.Chain, b.Seq}
	for _, v := range p.personal {
		args = append(args, v.field, orNull(string(v.whose)), v.Salt, v.Value)
	}
	if _, err := tx.Exec(ctx, `
		INSERT INTO audit_personal (chain, seq, field, user_id, salt, value)
		VALUES `+groups(len(p.personal), 2, 4), args...); err != nil {
		return fmt.Errorf("append personal values: %w", err)
	}
	return nil
}

// groups writes n groups of places: the shared ones first, then own ones each.
func groups(n, shared, own int) string {
	all := make([]string, n)
	for g := range all {
		places := make([]string, 0, shared+own)
		for i := range shared {
			places = append(places, place(i+1))
		}
		for i := range own {
			places = append(places, place(shared+g*own+i+1))
		}
		all[g] = "(" + strings.Join(places, ", ") + ")"
	}
	return strings.Join(all, ", ")
}

func place(n int) string { return "$" + strconv.Itoa(n) }

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// hashReader reads hashes of one chain's tree by their places.
func hashReader(ctx context.Context, from db.Reader, chain string) tlog.HashReader {
	return tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		if len(at) == 0 {
			return nil, nil
		}
		args, places := []any{chain}, make([]string, 0, len(at))
		for _, pos := range at {
			args = append(args, pos)
			places = append(places, place(len(args)))
		}
		found, err := hashes(ctx, from, `
			SELECT pos, hash
			  FROM audit_hashes
			 WHERE chain = $1 AND pos IN (`+strings.Join(places, ", ")+`)`, args...)
		if err != nil {
			return nil, err
		}
		all := make([]tlog.Hash, len(at))
		for i, pos := range at {
			h, ok := found[pos]
			if !ok {
				return nil, fmt.Errorf("the chain %q has no hash at %d: verify the trail", chain, pos)
			}
			all[i] = h
		}
		return all, nil
	})
}

func hashes(ctx context.Context, from db.Reader, text string, args ...any) (map[int64]tlog.Hash, error) {
	type stored struct {
		pos  int64
		hash []byte
	}
	rows, err := db.Many(ctx, from, func(r db.Row) (s stored, err error) { return s, r.Scan(&s.pos, &s.hash) }, text, args...)
	if err != nil {
		return nil, err
	}
	found := make(map[int64]tlog.Hash, len(rows))
	for _, s := range rows {
		var h tlog.Hash
		if len(s.hash) == len(h) { // one of another length is no hash of anything
			copy(h[:], s.hash)
		}
		found[s.pos] = h
	}
	return found, nil
}

// span is a part of a chain.
type span struct {
	rows     map[int64]row
	hashes   map[int64]tlog.Hash
	personal map[int64][]personal
}

// spanOf reads the events of a chain from one seq to before another, with all that
// belongs to them. The range bounds it.
func spanOf(ctx context.Context, from db.Reader, chain string, lo, hi int64) (s span, err error) {
	rows, err := db.Many(ctx, from, scanRow, eventColumns+`
		 WHERE chain = $1 AND seq >= $2 AND seq < $3`, chain, lo, hi)
	if err != nil {
		return s, err
	}
	values, err := personalOf(ctx, from, `chain = $1 AND seq >= $2 AND seq < $3`, chain, lo, hi)
	if err != nil {
		return s, err
	}
	s.hashes, err = hashes(ctx, from, `
		SELECT pos, hash
		  FROM audit_hashes
		 WHERE chain = $1 AND pos >= $2 AND pos < $3`, chain, tlog.StoredHashIndex(0, lo), tlog.StoredHashIndex(0, hi))
	s.rows, s.personal = make(map[int64]row, len(rows)), make(map[int64][]personal)
	for _, r := range rows {
		s.rows[r.seq] = r
	}
	for _, v := range values {
		s.personal[v.seq] = append(s.personal[v.seq], v.personal)
	}
	return s, err
}

const eventColumns = `
		SELECT chain, seq, at, kind, COALESCE(site_id, ''), COALESCE(user_id, ''), actor_id, body
		  FROM audit_events`

func scanRow(r db.Row) (e row, err error) {
	return e, r.Scan(&e.chain, &e.seq, &e.at, &e.kind, &e.site, &e.user, &e.actor, &e.body)
}

// placed is a personal value with the chain of its event.
type placed struct {
	chain string
	personal
}

func personalOf(ctx context.Context, from db.Reader, which string, args ...any) ([]placed, error) {
	return db.Many(ctx, from, func(r db.Row) (v placed, err error) {
		return v, r.Scan(&v.chain, &v.seq, &v.field, &v.Salt, &v.Value)
	}, `
		SELECT chain, seq, field, salt, value
		  FROM audit_personal
		 WHERE `+which+`
		 ORDER BY chain, seq, field`, args...)
}

// strays are events outside of what the head counts, up to the largest seq that was
// there when the head was read; the first hundred.
func strays(ctx context.Context, from db.Reader, chain string, size, most int64) ([]row, error) {
	return db.Many(ctx, from, scanRow, eventColumns+`
		 WHERE chain = $1 AND (seq < 0 OR (seq >= $2 AND seq <= $3))
		 ORDER BY seq
		 LIMIT 100`, chain, size, most)
}

// extent is how far a chain's tables reach at one moment; -1 for none.
type extent struct {
	size, base            int64
	first, last           int64
	lastHash, lastPrivate int64
}

func extentOf(ctx context.Context, from db.Reader, chain string) (extent, error) {
	return db.One(ctx, from, func(r db.Row) (e extent, err error) {
		return e, r.Scan(&e.size, &e.base, &e.first, &e.last, &e.lastHash, &e.lastPrivate)
	}, `
		SELECT COALESCE((SELECT size FROM audit_heads WHERE chain = $1), -1),
		       COALESCE((SELECT base FROM audit_heads WHERE chain = $1), 0),
		       COALESCE((SELECT MIN(seq) FROM audit_events WHERE chain = $1), -1),
		       COALESCE((SELECT MAX(seq) FROM audit_events WHERE chain = $1), -1),
		       COALESCE((SELECT MAX(pos) FROM audit_hashes WHERE chain = $1), -1),
		       COALESCE((SELECT MAX(seq) FROM audit_personal WHERE chain = $1), -1)`, chain)
}

// chainAfter is the next chain that any table knows, "" after the last.
func chainAfter(ctx context.Context, from db.Reader, chain string) (string, error) {
	return db.One(ctx, from, func(r db.Row) (s string, err error) { return s, r.Scan(&s) }, `
		SELECT COALESCE(MIN(chain), '')
		  FROM (SELECT MIN(chain) AS chain FROM audit_heads WHERE chain > $1
		        UNION ALL
		        SELECT MIN(chain) FROM audit_events WHERE chain > $1
		        UNION ALL
		        SELECT MIN(chain) FROM audit_hashes WHERE chain > $1
		        UNION ALL
		        SELECT MIN(chain) FROM audit_personal WHERE chain > $1) AS known`, chain)
}

// sizes are the heads of all chains after one, a page of them.
func sizes(ctx context.Context, from db.Reader, after string) ([]Head, error) {
	return db.Many(ctx, from, scanHead, `
		SELECT chain, size
		  FROM audit_heads
		 WHERE chain > $1
		 ORDER BY chain
		 LIMIT 500`, after)
}

// sizeOf is the head of one chain, as none or one.
func sizeOf(ctx context.Context, from db.Reader, chain string) ([]Head, error) {
	return db.Many(ctx, from, scanHead, `
		SELECT chain, size
		  FROM audit_heads
		 WHERE chain = $1`, chain)
}

func scanHead(r db.Row) (h Head, err error) { return h, r.Scan(&h.Chain, &h.Size) }

// walked reads the events of one kind among the next places of a chain.
func walked(ctx context.Context, from db.Reader, chain string, kind Kind, lo, since, until int64) ([]row, error) {
	return db.Many(ctx, from, scanRow, eventColumns+`
		 WHERE chain = $1 AND seq >= $2 AND seq < $3 AND kind = $4 AND at >= $5 AND at < $6
		 ORDER BY seq`, chain, lo, lo+walkOf, string(kind), since, until)
}

// listed reads what the filter lets through. A site's events are in the order of its
// chain; a user's, which stand in several chains, in the order of time.
func listed(ctx context.Context, from db.Reader, f Filter, limit int) ([]row, error) {
	var where []string
	var args []any
	add := func(text string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			text = strings.Replace(text, "?", place(len(args)), 1)
		}
		where = append(where, text)
	}
	order := "at DESC, chain DESC, seq DESC"
	if f.Site != "" {
		add("chain = ?", chainOf(f.Site, ""))
		order = "seq DESC"
	}
	if f.User != "" {
		add("user_id = ?", string(f.User))
	}
	if len(f.People) > 0 {
		text := "(user_id IN (?" + strings.Repeat(", ?", len(f.People)-1) + ")"
		text += strings.Replace(text, "(user_id", " OR actor_id", 1) + ")"
		add(text, append(ids(f.People), ids(f.People)...)...)
	}
	if f.Kind != "" {
		add("kind = ?", string(f.Kind))
	}
	if f.Group != "" {
		text, values := f.Group.where()
		add(text, values...)
	}
	if !f.From.IsZero() {
		add("at >= ?", f.From.UnixMicro())
	}
	if !f.Until.IsZero() {
		add("at < ?", f.Until.UnixMicro())
	}
	switch {
	case f.Before == Place{}:
	case f.Site != "":
		add("seq < ?", f.Before.Seq)
	default:
		add("(at, chain, seq) < (?, ?, ?)", f.Before.At.UnixMicro(), f.Before.Chain, f.Before.Seq)
	}
	args = append(args, limit)
	return db.Many(ctx, from, scanRow, eventColumns+`
		 WHERE `+strings.Join(where, " AND ")+`
		 ORDER BY `+order+`
		 LIMIT `+place(len(args)), args...)
}

func ids(all []id.User) []any {
	args := make([]any, len(all))
	for i, one := range all {
		args[i] = string(one)
	}
	return args
}

// personalOfEach reads the personal values of some rows.
func personalOfEach(ctx context.Context, from db.Reader, rows []row) ([]placed, error) {
	which, args := make([]string, 0, len(rows)), make([]any, 0, 2*len(rows))
	for _, r := range rows {
		args = append(args, r.chain, r.seq)
		which = append(which, "(chain = "+place(len(args)-1)+" AND seq = "+place(len(args))+")")
	}
	return personalOf(ctx, from, strings.Join(which, " OR "), args...)
}

// timeOf is when an event was.
func timeOf(ctx context.Context, from db.Reader, chain string, seq int64) (int64, error) {
	return db.One(ctx, from, number, `SELECT at FROM audit_events WHERE chain = $1 AND seq = $2`, chain, seq)
}

// firstSince is the first event that is not before a moment; last where there is none.
func firstSince(ctx context.Context, from db.Reader, chain string, moment time.Time, last int64) (int64, error) {
	return db.One(ctx, from, number, `
		SELECT COALESCE(MIN(seq), $3) FROM audit_events WHERE chain = $1 AND at >= $2 AND seq <= $3`,
		chain, moment.UnixMicro(), last)
}

func readBase(ctx context.Context, from db.Reader, chain string) (base, error) {
	return db.One(ctx, from, scanBase, `SELECT chain, size, edge, note FROM audit_bases WHERE chain = $1`, chain)
}

// rebase has a chain begin later than it did, and removes what is before that. The hashes
// stay: they tell nothing of anybody, and with them an older checkpoint is still checked.
func rebase(ctx context.Context, tx *db.Tx, b base, was int64) error {
	edge, err := json.Marshal(b.Edge)
	if err != nil {
		return fmt.Errorf("write the base: %w", err)
	}
	if err := tx.Change(ctx, `UPDATE audit_heads SET base = $2 WHERE chain = $1 AND base = $3`, b.Chain, b.Size, was); err != nil {
		return fmt.Errorf("move the base: %w", err)
	}
	if err := tx.Change(ctx, `
		INSERT INTO audit_bases (chain, size, edge, note)
		VALUES ($1, $2, $3, $4)
		ON CONFLICT (chain) DO UPDATE SET size = $2, edge = $3, note = $4`, b.Chain, b.Size, string(edge), b.Note); err != nil {
		return fmt.Errorf("store the base: %w", err)
	}
	for _, statement := range []string{
		`DELETE FROM audit_personal WHERE chain = $1 AND seq < $2`,
		`DELETE FROM audit_events WHERE chain = $1 AND seq < $2`,
	} {
		if _, err := tx.Exec(ctx, statement, b.Chain, b.Size); err != nil {
			return fmt.Errorf("remove old events: %w", err)
		}
	}
	return nil
}

// chainsBefore are chains whose first kept event was before a moment and is not their last.
func chainsBefore(ctx context.Context, from db.Reader, moment time.Time, limit int) ([]string, error) {
	return db.Many(ctx, from, func(r db.Row) (s string, err error) { return s, r.Scan(&s) }, `
		SELECT h.chain
		  FROM audit_heads h
		  JOIN audit_events e ON e.chain = h.chain AND e.seq = h.base
		 WHERE e.at < $1 AND h.size > h.base + 1
		 ORDER BY h.chain
		 LIMIT $2`, moment.UnixMicro(), limit)
}
