// Package trail is what is done with the audit trail: an admin takes a copy, checkpoints
// are made daily, told to the admins and kept outside, the personal values of somebody are
// erased, and events past their keeping time are removed.
//
// The trail itself, its chains and their verification are in package audit.
package trail

import (
	"keyturn/internal/db"
	"keyturn/internal/message"
	"keyturn/internal/secret"
	"keyturn/internal/standing"
)

// Desk does it.
type Desk struct {
	DB   *db.DB
	Keys *secret.Keys
	// Post tells the admins of checkpoints.
	Post     *message.Post
	Standing standing.Source
	// Folder is where checkpoints are written outside the database. May be empty.
	Folder string
	// KeepDays is for how many days events are kept at least; 0 keeps them for good.
	KeepDays int
}
