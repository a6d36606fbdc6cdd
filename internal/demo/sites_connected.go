package demo

import (
	"keyturn/internal/locale"
	"keyturn/internal/message"
	"keyturn/internal/policy"
)

// bookkeeper works for three sites, with one login.
func bookkeeper(group policy.Group) member {
	return member{
		login: "bev@tallybooks.example", first: "Bev", last: "Lindqvist", mobile: "+61491570110",
		group: group, proved: true, note: locale.DemoNoteBookkeeper,
	}
}

// bayside is the Xero site of the guided way: its first member is the Admin.
func bayside() workshop {
	return workshop{
		ref: "ws-1001", name: "Bayside Auto", region: "AU", zone: "Australia/Brisbane",
		remember: policy.RememberDaily, sms: 240,
		since: lastMarch, by: "Pat Chen", organisation: "Bayside Auto Pty Ltd",
		usual: locale.DemoNoteCode,
		members: []member{
			{login: "pat@baysideauto.example", first: "Pat", last: "Chen", mobile: "+61491570158", group: policy.GroupAdmin, proved: true, texted: true, note: locale.DemoNoteXeroAdmin},
			{login: "kim@baysideauto.example", first: "Kim", last: "Doyle", mobile: "+61491570159", group: policy.GroupOwner, proved: true, texted: true},
			{login: "jo@baysideauto.example", first: "Jo", last: "Tran", mobile: "+61491570157", group: policy.GroupManager, proved: true, texted: true},
			{login: "sam@baysideauto.example", first: "Sam", last: "Okafor", mobile: "+61491570156", group: policy.GroupMechanic, note: locale.DemoNoteFirstCode},
			{login: "dale@baysideauto.example", first: "Dale", last: "Porter", group: policy.GroupSales, note: locale.DemoNoteNoMobile},
			{login: "nadia@baysideauto.example", first: "Nadia", last: "Rahman", mobile: "+61491570313", group: policy.GroupInvoicePayment, proved: true, texted: true},
			{login: "ana@baysideauto.example", first: "Ana", last: "Silva", mobile: "+61491570737", group: policy.GroupInvoiceOnly, proved: true},
			{login: "mick.farrow@mail.example", first: "Mick", last: "Farrow", mobile: "+61491571266", group: policy.GroupMechanic, refuses: message.MailboxFull, note: locale.DemoNoteFull},
			{login: "rob.hale@mail.example", first: "Rob", last: "Hale", group: policy.GroupMechanic, refuses: message.NoSuchMailbox, dead: true, note: locale.DemoNoteStuck},
			{login: "luca@baysideauto.example", first: "Luca", last: "Bianchi", mobile: "+61491571491", group: policy.GroupMechanic, kind: policy.Mobile, note: locale.DemoNoteMobile},
			{login: "vic@baysideauto.example", first: "Vic", last: "Bray", mobile: "+61491571804", group: policy.GroupSales, status: policy.Blocked, note: locale.DemoNoteBlocked},
			{login: "grace@baysideauto.example", first: "Grace", last: "Oduya", group: policy.GroupUser, status: policy.Inactive, note: locale.DemoNoteInactive},
			bookkeeper(policy.GroupPayOnly),
		},
	}
}

// hillsideAirport is a twin of hillside: two of its people have the same names.
func hillsideAirport() workshop {
	return workshop{
		ref: "ws-1004", name: "Hillside Motors Airport", region: "AU", zone: "Australia/Melbourne",
		since: daysAgo(75), by: "Jordan Blake", organisation: "Hillside Airport Pty Ltd", rollout: begun,
		usual: locale.DemoNoteCode,
		members: []member{
			{login: "jordan@hillsideairport.example", first: "Jordan", last: "Blake", mobile: "+61491573770", group: policy.GroupAdmin, proved: true, note: locale.DemoNoteTwin},
			{login: "alex@hillsideairport.example", first: "Alex", last: "Nguyen", mobile: "+61491573087", group: policy.GroupMechanic, note: locale.DemoNoteTwin},
			{login: "rosa@hillsideairport.example", first: "Rosa", last: "Marino", group: policy.GroupUser},
		},
	}
}

// redgum has an Admin whom no mail reaches: nobody at the site can help.
func redgum() workshop {
	return workshop{
		ref: "ws-1008", name: "Redgum Diesel", region: "AU", zone: "Australia/Perth",
		since: daysAgo(140), by: "Gary Holt", organisation: "Redgum Diesel",
		usual: locale.DemoNoteCode,
		members: []member{
			{login: "gary@redgumdiesel.example", first: "Gary", last: "Holt", group: policy.GroupAdmin, refuses: message.NoSuchMailbox, dead: true, note: locale.DemoNoteDeadAdmin},
			{login: "tess@redgumdiesel.example", first: "Tess", last: "Abbott", mobile: "+61491574118", group: policy.GroupManager, proved: true},
			{login: "workshop2@redgumdiesel.example", first: "Lee", last: "Ferris", group: policy.GroupMechanic, refuses: message.NoSuchMailbox, note: locale.DemoNoteNobodyHelps},
		},
	}
}

// cascade was connected until a moment ago: what that required stays.
func cascade() workshop {
	return workshop{
		ref: "ws-1012", name: "Cascade Garage", region: "US", zone: "America/Los_Angeles",
		since: daysAgo(200), by: "Marcus Reed", organisation: "Cascade Garage LLC", unplugged: true,
		usual: locale.DemoNoteCode,
		members: []member{
			{login: "marcus@cascadegarage.example", first: "Marcus", last: "Reed", mobile: "+12065550143", group: policy.GroupAdmin, proved: true, note: locale.DemoNoteUnplugged},
			{login: "dana@cascadegarage.example", first: "Dana", last: "Whitfield", mobile: "+12065550168", group: policy.GroupSales, proved: true},
		},
	}
}
