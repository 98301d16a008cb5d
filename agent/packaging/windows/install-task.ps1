# Starts the agent whenever this person signs in to Windows, and again after a failure. Preferred: most card drivers
# show a reader only to the person at the screen, not to a service.
# Run once in PowerShell, as the person whose card it is:  .\install-task.ps1 -Agent "C:\Tongguan\Scripts\tongguan-agent.exe"
# Not tried on Windows yet (assumed from Microsoft's documentation of ScheduledTasks).
param([Parameter(Mandatory)][string]$Agent)

$action = New-ScheduledTaskAction -Execute $Agent -Argument "run --quiet"
$trigger = New-ScheduledTaskTrigger -AtLogOn -User $env:USERNAME
$settings = New-ScheduledTaskSettingsSet -RestartCount 999 -RestartInterval (New-TimeSpan -Minutes 1) `
    -ExecutionTimeLimit (New-TimeSpan -Seconds 0) -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries `
    -MultipleInstances IgnoreNew
Register-ScheduledTask -TaskName "Tongguan agent" -Action $action -Trigger $trigger -Settings $settings -Force
Start-ScheduledTask -TaskName "Tongguan agent"
