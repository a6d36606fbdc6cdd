package db

import (
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
)

// SQLite's primary result codes that speak of the storage and not of the statement.
const (
	liteBUSY     = 5
	liteLOCKED   = 6
	liteREADONLY = 8
	liteIOERR    = 10
	liteFULL     = 13
	liteCANTOPEN = 14
	liteUnique   = 2067 // SQLITE_CONSTRAINT_UNIQUE
	litePrimary  = 1555 // SQLITE_CONSTRAINT_PRIMARYKEY
)

func liteBusy(code int) bool {
	switch code & 0xff { // the low byte is the primary code
	case liteBUSY, liteLOCKED, liteREADONLY, liteIOERR, liteFULL, liteCANTOPEN:
		return true
	default:
		return false
	}
}

func pgCode(err error) (string, bool) {
	if e := (*pgconn.PgError)(nil); errors.As(err, &e) {
		return e.Code, true
	}
	return "", false
}

// pgBusy knows the classes of SQLSTATE (PostgreSQL manual, appendix A) in which the
// server could not do the work for reasons of its own.
func pgBusy(code string) bool {
	switch code[:2] {
	case "08", "53", "57", "58": // connection, resources, intervention, system
		return true
	}
	switch code {
	case "25006", // read-only transaction: a standby
		"40001", "40P01", // serialization, deadlock
		"55P03": // lock not available in time
		return true
	default:
		return false
	}
}

// again says whether the whole transaction may simply be run once more.
func again(err error) bool {
	code, ok := pgCode(err)
	return ok && (code == "40001" || code == "40P01")
}

// isTaken says whether a unique rule refused the row.
func isTaken(err error) bool {
	if code, ok := pgCode(err); ok {
		return code == "23505"
	}
	if e, ok := liteCode(err); ok {
		return e == liteUnique || e == litePrimary
	}
	return false
}

func liteCode(err error) (int, bool) {
	if e := (*sqlite.Error)(nil); errors.As(err, &e) {
		return e.Code(), true
	}
	return 0, false
}

func isNetwork(err error) bool {
	dial, opErr := (*pgconn.ConnectError)(nil), (*net.OpError)(nil)
	return pgconn.SafeToRetry(err) || errors.As(err, &dial) || errors.As(err, &opErr) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn)
}
