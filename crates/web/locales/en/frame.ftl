# What stands around every page.
frame-skip = Skip to the content
frame-signed-in-as = Signed in as
frame-nav = Your account
frame-languages = Language
error-title = Error: { $title }
nav-account = Overview
nav-apps = Apps
nav-tokens = Tokens
nav-sessions = Devices
case-number = Case number
from-place = from { $place }
device-browser-system = { $browser } on { $system }
device-unknown = Unknown device
home-page = Welcome
home-title = Your account at { $issuer }
home-lead = One account for the apps you use here. See where you’re signed in and which apps have access, and take it back at any time.
home-account = Your account
