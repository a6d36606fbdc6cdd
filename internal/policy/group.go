package policy

// Group is a named set of permissions in a site. The value is its name.
type Group string

// The groups of a site.
const (
	GroupAdmin          Group = "Admin"
	GroupOwner          Group = "Owner"
	GroupManager        Group = "Manager"
	GroupUser           Group = "User"
	GroupInvoicePayment Group = "Invoice & Payment Only"
	GroupPayOnly        Group = "Pay Only"
	GroupInvoiceOnly    Group = "Invoice Only"
	GroupMechanic       Group = "Mechanic"
	GroupSales          Group = "Sales"
)

// Rank orders groups: Admin 4, Owner 3, Manager 2, User 1, all others 0. Nobody edits
// above their own.
func (g Group) Rank() int {
	return map[Group]int{GroupAdmin: 4, GroupOwner: 3, GroupManager: 2, GroupUser: 1}[g]
}
