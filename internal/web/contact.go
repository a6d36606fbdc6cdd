package web

import "keyturn/internal/manager"

// ContactOf is an account manager as pages show one: nobody where nobody is known.
func ContactOf(c manager.Contact) Contact {
	return Contact{Name: c.Name, Phone: c.Phone, Email: c.Email, Hours: c.Words}
}
