package balance

import (
	"context"
	"errors"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/fault"
	"keyturn/internal/id"
)

// stand is how an account stands: its row.
type stand struct {
	available, held int
	no              int64 // of the last entry
	lowTold         time.Time
}

func scanStand(r db.Row) (s stand, err error) {
	return s, r.Scan(&s.available, &s.held, &s.no, db.When(&s.lowTold))
}

const standSQL = `
	SELECT available, held, entries, low_told_at FROM sms_accounts WHERE site_id = $1`

func standing(ctx context.Context, from db.Reader, which id.Site) (stand, error) {
	return db.One(ctx, from, scanStand, standSQL, which)
}

// begins is what a site without a row has. A negative number from elsewhere is none.
const begins = `CASE WHEN s.sms_available > 0 THEN s.sms_available ELSE 0 END`

// found is how the account stands, or will once it has a row; fault.NotFound if there is
// no such site.
func found(ctx context.Context, from db.Reader, which id.Site) (stand, error) {
	return db.One(ctx, from, scanStand, `
		SELECT COALESCE(a.available, `+begins+`), COALESCE(a.held, 0), COALESCE(a.entries, 0), a.low_told_at
		  FROM sites s LEFT JOIN sms_accounts a ON a.site_id = s.site_id
		 WHERE s.site_id = $1`, which)
}

// open makes the account's row and its opening entry, unless it is there. Of two at
// once the second waits for the first, and makes nothing.
func open(ctx context.Context, tx *db.Tx, which id.Site) error {
	n, err := tx.Exec(ctx, `
		INSERT INTO sms_accounts (site_id, available, held, entries)
		SELECT s.site_id, `+begins+`, 0, 1 FROM sites s WHERE s.site_id = $1
		ON CONFLICT (site_id) DO NOTHING`, which)
	if err != nil || n == 0 {
		return err
	}
	s, err := standing(ctx, tx, which)
	if err != nil {
		return err
	}
	return write(ctx, tx, which, s, Entry{Kind: Opened, Parts: s.available})
}

// take takes the account's row until the transaction ends, making it if need be;
// fault.NotFound if there is no such site.
func take(ctx context.Context, tx *db.Tx, which id.Site) (stand, error) {
	s, err := taken(ctx, tx, which)
	if !errors.Is(err, fault.NotFound) {
		return s, err
	}
	if err := open(ctx, tx, which); err != nil {
		return s, err
	}
	return taken(ctx, tx, which)
}

func taken(ctx context.Context, tx *db.Tx, which id.Site) (stand, error) {
	return db.One(ctx, tx, scanStand, `
		UPDATE sms_accounts SET entries = entries
		 WHERE site_id = $1
		RETURNING available, held, entries, low_told_at`, which)
}

// change is what one movement does to an account.
type change struct {
	available, held int
	kept            int // available may not fall below it
}

// move takes the row and changes it, leaving room for the entry that tells of it.
// fault.NotFound if there is no row, or not enough in it.
func move(ctx context.Context, tx *db.Tx, which id.Site, c change) (stand, error) {
	return db.One(ctx, tx, scanStand, `
		UPDATE sms_accounts SET available = available + $2, held = held + $3, entries = entries + 1
		 WHERE site_id = $1 AND available + $2 >= $4 AND held + $3 >= 0
		RETURNING available, held, entries, low_told_at`, which, c.available, c.held, c.kept)
}

// write writes the entry of a movement; after is what move gave.
func write(ctx context.Context, tx *db.Tx, which id.Site, after stand, e Entry) error {
	return tx.Change(ctx, `
		INSERT INTO sms_entries (site_id, entry_no, kind, parts, available_after, held_after, hold_id, user_id, by_name, reference, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		which, after.no, e.Kind, e.Parts, after.available, after.held, e.Hold, e.User, e.ByName, e.Reference, db.Stamp(tx.Now))
}

const referenceSQL = `
	SELECT entry_no FROM sms_entries WHERE site_id = $1 AND reference = $2 AND kind = 'topup'`

// counted says whether a top-up of this reference was entered. The account must be taken.
func counted(ctx context.Context, tx *db.Tx, which id.Site, reference string) (bool, error) {
	_, err := db.One(ctx, tx, scanNumber, referenceSQL, which, reference)
	if errors.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil, err
}

func scanNumber(r db.Row) (n int64, err error) { return n, r.Scan(&n) }

// hold is parts reserved for one hand-over of a message.
type hold struct {
	id      id.Hold
	site    id.Site
	user    id.User
	message id.Message
	parts   int
	charged int
	state   state
}

// state is where a hold stands: held → charged → refunded, or held → released.
type state string

const (
	held     state = "held"
	charged  state = "charged"
	released state = "released"
	refunded state = "refunded"
)

const holdColumns = `hold_id, site_id, user_id, message_id, parts, charged, state`

func scanHold(r db.Row) (h hold, err error) {
	return h, r.Scan(&h.id, &h.site, &h.user, &h.message, &h.parts, &h.charged, &h.state)
}

func insertHold(ctx context.Context, tx *db.Tx, which id.Hold, a Ask) error {
	return tx.Change(ctx, `
		INSERT INTO sms_holds (site_id, hold_id, user_id, message_id, try_no, parts, admin, state, made_at, settle_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 'held', $8, $9)`,
		a.Site, which, a.User, a.Message, a.Try, a.Parts, a.Admin, db.Stamp(tx.Now), db.Stamp(tx.Now.Add(settleAfter)))
}

func holdByID(ctx context.Context, from db.Reader, at id.Site, which id.Hold) (hold, error) {
	return db.One(ctx, from, scanHold, `SELECT `+holdColumns+` FROM sms_holds WHERE site_id = $1 AND hold_id = $2`, at, which)
}

// settled changes the hold's state, from the one that h was read in.
func settled(ctx context.Context, tx *db.Tx, h hold, to state, chargedParts int) error {
	return tx.Change(ctx, `
		UPDATE sms_holds SET state = $4, charged = $5, settled_at = $6
		 WHERE site_id = $1 AND hold_id = $2 AND state = $3`,
		h.site, h.id, string(h.state), string(to), chargedParts, db.Stamp(tx.Now))
}

const dueSQL = `
	SELECT ` + holdColumns + ` FROM sms_holds
	 WHERE state = 'held' AND settle_by <= $1
	 ORDER BY settle_by, hold_id LIMIT $2`

func due(ctx context.Context, tx *db.Tx, limit int) ([]hold, error) {
	return db.Many(ctx, tx, scanHold, dueSQL, db.Stamp(tx.Now), limit)
}

const floatUsedSQL = `
	SELECT CAST(COALESCE(SUM(CASE WHEN state = 'held' THEN parts ELSE charged END), 0) AS BIGINT)
	  FROM sms_holds
	 WHERE site_id = $1 AND user_id = $2 AND made_at >= $3 AND admin AND state IN ('held', 'charged')`

func adminParts(ctx context.Context, from db.Reader, at id.Site, who id.User, since time.Time) (int64, error) {
	return db.One(ctx, from, scanNumber, floatUsedSQL, at, who, db.Stamp(since))
}

const statementSQL = `
	SELECT entry_no, kind, parts, available_after, held_after, hold_id, user_id, by_name, reference, at
	  FROM sms_entries
	 WHERE site_id = $1 AND entry_no < $2
	 ORDER BY entry_no DESC LIMIT $3`

func scanEntry(r db.Row) (e Entry, err error) {
	return e, r.Scan(&e.No, &e.Kind, &e.Parts, &e.AvailableAfter, &e.HeldAfter, &e.Hold, &e.User, &e.ByName, &e.Reference, db.When(&e.At))
}

func before(ctx context.Context, from db.Reader, at id.Site, no int64, limit int) ([]Entry, error) {
	return db.Many(ctx, from, scanEntry, statementSQL, at, no, limit)
}

const onwardSQL = `
	SELECT entry_no, kind, parts, available_after, held_after, hold_id, user_id, by_name, reference, at
	  FROM sms_entries
	 WHERE site_id = $1 AND entry_no > $2
	 ORDER BY entry_no LIMIT $3`

func onward(ctx context.Context, from db.Reader, at id.Site, no int64, limit int) ([]Entry, error) {
	return db.Many(ctx, from, scanEntry, onwardSQL, at, no, limit)
}

const paceSQL = `
	SELECT COUNT(*), CAST(COALESCE(SUM(parts), 0) AS BIGINT)
	  FROM sms_entries
	 WHERE site_id = $1 AND at >= $2 AND kind = 'charge'`

// paceSince counts the charges since then and their parts.
func paceSince(ctx context.Context, from db.Reader, at id.Site, since time.Time) (pace, error) {
	return db.One(ctx, from, func(r db.Row) (p pace, err error) { return p, r.Scan(&p.charges, &p.parts) },
		paceSQL, at, db.Stamp(since))
}

func openedAt(ctx context.Context, from db.Reader, at id.Site) (time.Time, error) {
	return db.One(ctx, from, func(r db.Row) (t time.Time, err error) { return t, r.Scan(db.When(&t)) },
		`SELECT at FROM sms_entries WHERE site_id = $1 AND entry_no = 1`, at)
}

const useSQL = `
	SELECT user_id, CAST(SUM(CASE WHEN kind = 'charge' THEN parts ELSE -parts END) AS BIGINT) AS used
	  FROM sms_entries
	 WHERE site_id = $1 AND at >= $2 AND kind IN ('charge', 'refund') AND user_id <> ''
	 GROUP BY user_id
	HAVING SUM(CASE WHEN kind = 'charge' THEN parts ELSE -parts END) > 0
	 ORDER BY used DESC, user_id LIMIT $3`

func useSince(ctx context.Context, from db.Reader, at id.Site, since time.Time, limit int) ([]Use, error) {
	return db.Many(ctx, from, func(r db.Row) (u Use, err error) { return u, r.Scan(&u.User, &u.Parts) },
		useSQL, at, db.Stamp(since), limit)
}

// told marks that the balance ran low, and says whether it was this call that did.
func told(ctx context.Context, tx *db.Tx, which id.Site, under int) (bool, error) {
	n, err := tx.Exec(ctx, `
		UPDATE sms_accounts SET low_told_at = $3
		 WHERE site_id = $1 AND low_told_at IS NULL AND available < $2`, which, under, db.Stamp(tx.Now))
	return n == 1, err
}

// untold takes the mark away, where the balance is not under the line any more.
func untold(ctx context.Context, tx *db.Tx, which id.Site, under int) error {
	_, err := tx.Exec(ctx, `
		UPDATE sms_accounts SET low_told_at = NULL
		 WHERE site_id = $1 AND low_told_at IS NOT NULL AND available >= $2`, which, under)
	return err
}

// heldNow sums what the holds of a site reserve.
func heldNow(ctx context.Context, from db.Reader, at id.Site) (int64, error) {
	return db.One(ctx, from, scanNumber, `
		SELECT CAST(COALESCE(SUM(parts), 0) AS BIGINT) FROM sms_holds WHERE site_id = $1 AND state = 'held'`, at)
}

// mostCharges bounds what one chart is made of.
const mostCharges = 100_000

const chargesSQL = `
	SELECT at, parts FROM sms_entries
	 WHERE site_id = $1 AND at >= $2 AND at < $3 AND kind = 'charge' ORDER BY at, entry_no LIMIT $4`

// chargesBetween gives the charges from begin on and before end, the oldest first.
func chargesBetween(ctx context.Context, from db.Reader, which id.Site, begin, end time.Time) ([]dayCharge, error) {
	return db.Many(ctx, from, func(r db.Row) (c dayCharge, err error) { return c, r.Scan(db.When(&c.at), &c.parts) },
		chargesSQL, which, db.Stamp(begin), db.Stamp(end), mostCharges)
}
