# For Makefiles that read the kit's settings before they name an application: which kinds of applications it builds.
# Settings are variables CFG_... of the application's own Makefile; ta_dev_kit.mk says which of them the kit knows.

sm := ta
