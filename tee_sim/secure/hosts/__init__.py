"""A process for each trusted application: what core and host say to each other over their two private pipes.

    core                                              host
    RemoteApp.invoke  -- INVOKE ------------------->  the application's object
                      <------------------- ASK get --  env.store.get(...)
                      -- ANSWER ------------------->
                      <------------------------ DONE --

Rules:
* the host is hostile by assumption: what it sends is decoded strictly, bounded, and concerns its own application only;
* the core waits for a host no longer than the manifest allows, and ends it if it takes longer or speaks otherwise;
* a host that ended is one application's loss: its sessions answer TARGET_DEAD, the next one gets a spare.

Does not promise: that an application cannot learn how long others take, or that memory is shared fairly.
"""
